//! The table by itself: where keys are while it grows and shrinks, and how much work a call is.

use super::*;

/// Spreads numbers as the keyed hash does texts.
fn hash(number: u64) -> u64 {
    let word = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((word ^ (word >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ (word >> 32)).max(1)
}

fn insert(table: &mut Table, number: u64, until: u64, now: u64) {
    let found = table.find(hash(number));
    table.set(hash(number), &found, until, now);
}

/// What `keys` says, counted.
fn counted(table: &mut Table) -> usize {
    let mut count = 0;
    for buckets in [Some(&mut table.buckets), table.next.as_mut()].into_iter().flatten() {
        count += buckets.all().flat_map(|bucket| bucket.cells).filter(|cell| cell.until != 0).count();
    }
    count
}

#[test]
fn every_key_is_found_after_each_step_of_growth() {
    let mut table = Table::new(200_000);
    let mut lengths = Vec::new();
    for number in 0..200_000 {
        insert(&mut table, number, 1_000_000 + number, 1);
        if !lengths.contains(&table.buckets.length) {
            lengths.push(table.buckets.length);
        }
        // All of them at some sizes, in the middle of moves too; otherwise the last one and one from the middle.
        let all = number < 300 || number % 50_021 == 0;
        for known in if all { 0..=number } else { number..=number } {
            let found = table.find(hash(known));
            assert!(found.cell.is_some() && found.until == 1_000_000 + known, "{known} after {number}");
        }
        assert_eq!(table.find(hash(number / 2)).until, 1_000_000 + number / 2);
    }
    assert_eq!((table.keys(), counted(&mut table), table.evictions()), (200_000, 200_000, 0));
    assert!(lengths.len() > 15, "it grew step by step: {lengths:?}");
    assert!(table.bytes() <= 24 * 200_000, "{} bytes", table.bytes());
}

#[test]
fn no_key_makes_room_while_the_table_can_grow() {
    for round in 0..2000_u64 {
        let mut table = Table::new(20_000);
        // Most of what can go wrong does while the table is small.
        for number in 0..(if round % 100 == 0 { 20_000 } else { 600 }) {
            insert(&mut table, (round << 32) + number, u64::MAX, 1);
        }
        assert_eq!(table.evictions(), 0, "round {round}");
    }
}

#[test]
fn a_small_table_grows_at_once_for_a_set_that_is_full() {
    for bits in 1..=3 {
        let mut table = Table::new(100_000);
        // Both positions of every key are in the same half, quarter, eighth of the table.
        let lower = !(u64::from(u32::MAX << (32 - bits)) * 0x1_0000_0001);
        for number in 0..400 {
            let hash = hash(number) & lower;
            let found = table.find(hash);
            table.set(hash, &found, 1000 + number, 1);
            for known in 0..=number {
                assert_eq!(
                    table.find(self::hash(known) & lower).until,
                    1000 + known,
                    "{known} after {number}"
                );
            }
        }
        assert_eq!((table.keys(), counted(&mut table), table.evictions()), (400, 400, 0));
    }
}

#[test]
fn the_memory_follows_the_number_of_keys() {
    let mut table = Table::new(1_000_000);
    for number in 0..1_000_000_u64 {
        insert(&mut table, number, u64::MAX, 1);
        // Below a mebibyte it is doubled, and a segment is the least.
        if number > 100_000 {
            assert!(table.bytes() as u64 <= 24 * number + (128 << 10), "{} for {number}", table.bytes());
        }
    }
    assert_eq!((table.keys(), table.evictions()), (1_000_000, 0));
}

#[test]
fn a_call_looks_at_a_fixed_number_of_buckets() {
    let mut table = Table::new(100_000);
    let mut most = 0;
    for number in 0..300_000_u64 {
        let before = table.visited.get();
        insert(&mut table, number, u64::MAX, 1);
        most = most.max(table.visited.get() - before);
    }
    assert!(table.evictions() > 100_000);
    let before = table.visited.get();
    for number in 300_000..301_000_u64 {
        insert(&mut table, number, u64::MAX, 1);
    }
    // A table that is full is not searched for room.
    assert!(table.visited.get() - before < 12 * 1000, "{}", table.visited.get() - before);
    // Two to find it and two to put it; of two full buckets all keys may be tried in their other ones; two buckets
    // are moved, each key of which goes to its bucket, or as a new one.
    assert!(most <= 100, "{most}");

    // However often a key was used, and however many there are.
    let before = table.visited.get();
    for _ in 0..1000 {
        let found = table.find(hash(0));
        assert!(found.cell.is_some());
        table.set(hash(0), &found, u64::MAX, 1);
    }
    assert_eq!(table.visited.get() - before, 2 * 1000);
}

#[test]
fn recovered_keys_make_room_without_growth() {
    let mut table = Table::new(1_000_000);
    // A hundred thousand keys, of which a thousand are in use at any time.
    for number in 0..100_000_u64 {
        insert(&mut table, number, number + 1001, number + 1);
    }
    assert!(table.bytes() < 64 << 10, "{} bytes", table.bytes());
    assert!(table.keys() < 2100, "{} keys", table.keys());
    assert_eq!(table.keys(), counted(&mut table));
    assert_eq!(table.evictions(), 0);
}

#[test]
fn the_memory_of_a_flood_is_given_back() {
    let mut table = Table::new(1_000_000);
    for number in 0..500_000_u64 {
        insert(&mut table, number, 10, 1);
    }
    let full = table.bytes();
    for number in 0..500_000_u64 {
        insert(&mut table, 1_000_000 + number, 21 + number / 100, 20 + number / 100);
        for known in [number, number.saturating_sub(50)] {
            let found = table.find(hash(1_000_000 + known));
            assert!(found.until <= 20 + number / 100 || found.cell.is_some());
        }
    }
    assert!(table.bytes() * 8 < full, "{} of {full} bytes", table.bytes());
    assert_eq!(table.keys(), counted(&mut table));
    assert_eq!(table.evictions(), 0);
}

#[test]
fn what_is_lost_raises_the_floor() {
    let mut table = Table::new(1);
    // One bucket, which is both positions of every key.
    for number in 0..CELLS as u64 {
        insert(&mut table, number, 100 + number, 1);
    }
    assert_eq!((table.buckets.length, table.evictions()), (1, 0));
    assert_eq!(table.find(hash(77)).until, 0);
    // The one that recovers first makes room,
    insert(&mut table, 50, 500, 1);
    assert!(table.find(hash(0)).cell.is_none());
    assert_eq!(table.find(hash(0)).until, 100);
    assert_eq!(table.find(hash(50)).until, 500);
    // and a new one is not stored where it is the first.
    insert(&mut table, 51, 101, 1);
    assert!(table.find(hash(51)).cell.is_none());
    assert_eq!(table.find(hash(51)).until, 101);
    assert_eq!((table.find(hash(1)).until, table.evictions()), (101, 2));
    assert!(table.find(hash(1)).cell.is_some());
}

#[test]
fn of_both_buckets_the_key_that_recovers_first_makes_room() {
    let mut table = Table::new(1);
    table.most = 2;
    let is_in_both = |number: &u64| (hash(*number) ^ second_position(hash(*number))) >> 63 == 1;
    let mut numbers = (0..).filter(is_in_both);
    // Those of the end come first, so that neither bucket is always the one.
    for _ in 0..200 {
        let number = numbers.next().expect("one of two");
        let cells = table.buckets.all().flat_map(|bucket| bucket.cells).map(|cell| cell.until);
        let (free, earliest) = cells.fold((0, u64::MAX), |(free, earliest), until| {
            if until <= 1 { (free + 1, earliest) } else { (free, earliest.min(until)) }
        });
        let until = 100 + hash(number) % 1000;
        let (evictions, is_full) = (table.evictions(), table.buckets.length == 2 && free == 0);
        insert(&mut table, number, until, 1);
        if is_full {
            assert_eq!(table.evictions(), evictions + 1);
            let lost = table.buckets.all().map(|bucket| bucket.floor).max().expect("two");
            assert!(lost >= earliest.min(until));
            let left = table.buckets.all().flat_map(|bucket| bucket.cells).map(|cell| cell.until);
            assert!(left.min().expect("28") >= earliest.min(until));
            assert_eq!(table.find(hash(number)).cell.is_some(), until > earliest);
        }
    }
    assert!(table.evictions() > 100);
}

#[test]
fn floors_are_kept_while_buckets_move() {
    let mut table = Table::new(100_000);
    table.most = 512;
    for number in 0..20_000_u64 {
        insert(&mut table, number, 1000 + number % 100, 1);
    }
    assert!(table.evictions() > 1000);
    table.most = 1024;
    for number in 20_000..40_000_u64 {
        insert(&mut table, number, 1000 + number % 100, 1);
        if number % 997 == 0 {
            for known in 0..number {
                assert!(table.find(hash(known)).until >= 1000 + known % 100, "{known} after {number}");
            }
        }
    }
    assert_eq!(table.buckets.length, 1024);
}

#[test]
fn of_two_buckets_that_become_one_the_higher_floor_is_kept() {
    for floors in [[100, 50], [50, 100]] {
        let mut table = Table::new(100_000);
        table.buckets = Buckets::new(8);
        for (index, floor) in floors.into_iter().enumerate() {
            table.buckets.get_mut(index).floor = floor;
        }
        table.next = Some(Buckets::new(4));
        while table.next.is_some() {
            table.move_bucket(1);
        }
        let floors: Vec<u64> = table.buckets.all().map(|bucket| bucket.floor).collect();
        assert_eq!(floors, [100, 0, 0, 0]);
    }
}

#[test]
fn a_table_that_is_being_moved_grows_at_once() {
    let mut table = Table::new(100_000);
    for number in 0..80 {
        insert(&mut table, number, 1000 + number, 1);
    }
    while table.next.is_some() {
        table.move_bucket(1);
    }
    let length = table.buckets.length;
    table.next = Some(Buckets::new(length * 2));
    table.hand = 0;
    // In the middle, so that keys are in both.
    for _ in 0..length / 2 {
        table.move_bucket(1);
    }
    table.grow_at_once(1);
    assert_eq!((table.buckets.length, table.keys()), (length * 4, 80));
    for number in 0..80 {
        assert_eq!(table.find(hash(number)).until, 1000 + number);
    }
}

#[test]
fn times_that_are_moved_leave_the_number_of_keys() {
    let mut table = Table::new(100);
    for number in 0..50 {
        insert(&mut table, number, 10 + number, 1);
    }
    table.shift(30);
    assert_eq!((table.keys(), counted(&mut table)), (50, 50));
    assert_eq!(table.find(hash(0)).until, 1);
    assert_eq!(table.find(hash(49)).until, 29);
}

#[test]
fn cells_that_were_never_used_hold_no_key() {
    let table = Table::new(10);
    // All tags are 0 in a bucket that is new.
    for number in 0..10_000 {
        assert!(table.find(hash(number) << 8).cell.is_none());
    }
}

#[test]
fn tags_find_what_a_search_of_all_hashes_finds() {
    let mut bucket = Buckets::new(1).get(0).clone();
    // Hashes with few different tags, so that many are candidates.
    for round in 0..10_000_u64 {
        let value = (hash(round) << 8) | (hash(round + 1) % 3);
        bucket.replace(round as usize % CELLS, value, 1);
        for wanted in [value, value ^ (1 << 60), (hash(round / 2) << 8) | (hash(round / 2 + 1) % 3), 1 << 8] {
            let expected = bucket.cells.iter().position(|cell| cell.hash == wanted);
            assert_eq!(bucket.find(wanted, bucket.candidates(wanted)), expected);
        }
    }
}
