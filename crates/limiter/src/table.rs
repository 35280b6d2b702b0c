//! The table: for each key that is not recovered a cell, in sets of fixed size; memory that follows the number of keys up to a
//! limit, and no further.
//!
//! A key has two positions, of which each names one bucket of 14 cells: its set is these two buckets (two-choice hashing, Azar,
//! Broder, Karlin, Upfal: *Balanced allocations*, 1999), and a new key goes to the emptier one. A cell holds the key's hash and
//! its theoretical arrival time; it is free when that time has come, so that recovered keys need not be removed.
//!
//! **Growing.** A bucket holds an interval of positions, in order. To another number of buckets they are moved one after the
//! other, two with each new key, so that no call does more than a fixed amount of work: positions before the hand are found in
//! the new buckets, the others in the old ones. The growth is by a sixth, so that the table is never emptier than
//! it has to be. While nothing is moved the hand goes round all the same and removes the recovered, which is how the table
//! knows when it is full of live keys and not of old ones.
//!
//! **When a set is full of live cells** the one that recovers first makes room, or the new key is not stored if that is it. What
//! is lost is remembered in the bucket's *floor*, the latest arrival time that was given up there: a key that is not found is
//! taken to have used as much. A key is therefore never allowed more than if all were stored; what it may get is less.

use crate::buckets::{Bucket, Buckets, CELLS, Cell, SEGMENT};

/// What the largest table takes for each of the keys it is made for: with 14 cells in 256 bytes, 83 % of them are in use then.
const BYTES_PER_KEY: usize = 22;

/// The table grows when more than 92 % of its cells are in use: with more, sets become full by chance.
const FULL_PERCENT: usize = 92;

/// In a table of up to a segment, where chance weighs more, when more than 75 % are. If a set is full all the same it grows at
/// once, so that no key has to make room before the table is as large as it may be.
const SMALL_FULL_PERCENT: usize = 75;

/// Keys are moved within the table to make room in a full set up to this.
const HOPELESS_PERCENT: usize = 98;

/// It is halved when less than a quarter is.
const EMPTY_PERCENT: usize = 25;

/// From this many buckets on (1 MiB) it grows by a sixth at a time, and is doubled before.
const SMALL: usize = 4096;

/// Buckets that the hand passes with each new key.
const STEPS: usize = 2;

/// A table of at most so many buckets.
pub(crate) struct Table {
    buckets: Buckets,
    /// The buckets of another size, while they are being filled.
    next: Option<Buckets>,
    /// The buckets before it have been moved to `next`, or, when there is none, looked at in this round.
    hand: usize,
    most: usize,
    used: usize,
    evictions: u64,
    /// Buckets that were looked at: what a call costs.
    #[cfg(test)]
    pub(crate) visited: std::cell::Cell<u64>,
}

/// Where a bucket is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    is_moved: bool,
    index: usize,
}

/// What the table knows of a key.
pub(crate) struct Found {
    /// Until when it is in use; for a key that has no cell, what the floor of its set says.
    pub(crate) until: u64,
    cell: Option<(Place, usize)>,
}

impl Table {
    /// For `keys` keys, and some more.
    pub(crate) fn new(keys: usize) -> Table {
        Table {
            buckets: Buckets::new(1),
            next: None,
            hand: 0,
            most: (keys * BYTES_PER_KEY).div_ceil(size_of::<Bucket>()).max(1),
            used: 0,
            evictions: 0,
            #[cfg(test)]
            visited: std::cell::Cell::new(0),
        }
    }

    /// Cells in use, and those that have recovered since the hand came by.
    pub(crate) fn keys(&self) -> usize {
        self.used
    }

    pub(crate) fn bytes(&self) -> usize {
        self.buckets.bytes + self.next.as_ref().map_or(0, |next| next.bytes)
    }

    /// Keys in use that had to make room, or were not stored.
    pub(crate) fn evictions(&self) -> u64 {
        self.evictions
    }

    #[inline]
    pub(crate) fn find(&self, hash: u64) -> Found {
        let places = [self.place(hash), self.place(second_position(hash))];
        let buckets = places.map(|place| self.bucket(place));
        let candidates = buckets.map(|bucket| bucket.candidates(hash));
        // Which of the two it is cannot be foreseen, so that nothing branches on that.
        let likely = usize::from(candidates[0].are_none());
        for index in [likely, 1 - likely] {
            if let Some(cell) = buckets[index].find(hash, candidates[index]) {
                return Found { until: buckets[index].cells[cell].until, cell: Some((places[index], cell)) };
            }
        }
        Found { until: buckets[0].floor.max(buckets[1].floor), cell: None }
    }

    /// Sets until when a key is in use. For a key that had no cell this makes room, and some work towards more of it.
    #[inline]
    pub(crate) fn set(&mut self, hash: u64, found: &Found, until: u64, now: u64) {
        match found.cell {
            Some((place, cell)) => self.write(place, cell, hash, until),
            None => {
                self.insert(hash, until, now);
                for _ in 0..STEPS {
                    self.step(now);
                }
                self.plan_growth();
            }
        }
    }

    /// Moves all times by `change` towards 0, where those end that are over.
    pub(crate) fn shift(&mut self, change: u64) {
        for buckets in [Some(&mut self.buckets), self.next.as_mut()].into_iter().flatten() {
            for bucket in buckets.all() {
                bucket.floor = bucket.floor.saturating_sub(change);
                for cell in &mut bucket.cells {
                    // 0 would be free without having been counted so.
                    cell.until = if cell.until == 0 { 0 } else { cell.until.saturating_sub(change).max(1) };
                }
            }
        }
    }

    fn insert(&mut self, hash: u64, until: u64, now: u64) {
        let places = [self.place(hash), self.place(second_position(hash))];
        let [(first, first_free), (second, second_free)] =
            places.map(|place| self.bucket(place).vacancy(now));
        match (first_free, second_free) {
            (Some(cell), _) if first <= second => self.write(places[0], cell, hash, until),
            (_, Some(cell)) => self.write(places[1], cell, hash, until),
            _ => self.displace(places, hash, until, now),
        }
    }

    /// Stores a key in a set that is full: in a cell whose key can go to its other bucket, or else in place of the key that
    /// recovers first, if that is not this one.
    #[cold]
    fn displace(&mut self, places: [Place; 2], hash: u64, until: u64, now: u64) {
        if self.buckets.length.max(self.next_length()) < self.most.min(SEGMENT) {
            self.grow_at_once(now);
            return self.insert(hash, until, now);
        }
        // Where hardly any cell is free the search for one is in vain.
        if self.used * 100 < self.buckets.length * CELLS * HOPELESS_PERCENT {
            for place in places {
                if let Some(cell) = self.relocate(place, now) {
                    return self.write(place, cell, hash, until);
                }
            }
        }
        self.evictions += 1;
        let [first, second] = places.map(|place| self.bucket(place).earliest());
        let (place, (cell, earliest)) =
            if first.1 <= second.1 { (places[0], first) } else { (places[1], second) };
        let bucket = self.bucket_mut(place);
        bucket.floor = bucket.floor.max(until.min(earliest));
        if earliest < until {
            self.write(place, cell, hash, until);
        }
    }

    /// Moves one key of a full bucket to its other bucket, if one can. Returns its cell.
    fn relocate(&mut self, place: Place, now: u64) -> Option<usize> {
        let cells = self.bucket(place).cells;
        for (cell, Cell { hash, until }) in cells.into_iter().enumerate() {
            let [first, second] = [self.place(hash), self.place(second_position(hash))];
            let other = if first == place { second } else { first };
            if other == place {
                continue;
            }
            if let Some(free) = self.bucket(other).free(now) {
                self.write(other, free, hash, until);
                return Some(cell);
            }
        }
        None
    }

    /// Passes one bucket: moves it, or clears what has recovered in it.
    fn step(&mut self, now: u64) {
        match &mut self.next {
            Some(_) => self.move_bucket(now),
            None => self.sweep_bucket(now),
        }
    }

    fn sweep_bucket(&mut self, now: u64) {
        self.count_visit();
        let mut cleared = 0;
        if self.buckets.exists(self.hand) {
            for cell in &mut self.buckets.get_mut(self.hand).cells {
                if cell.until != 0 && cell.until <= now {
                    cell.until = 0;
                    cleared += 1;
                }
            }
        }
        self.used -= cleared;
        self.hand += 1;
        if self.hand == self.buckets.length {
            self.hand = 0;
            let length = self.buckets.length;
            if length > SMALL && self.used * 100 < length * CELLS * EMPTY_PERCENT {
                self.next = Some(Buckets::new(length / 2));
            }
        }
    }

    fn move_bucket(&mut self, now: u64) {
        self.count_visit();
        let index = self.hand;
        let bucket = self.buckets.get(index).clone();
        let (from, to) = (self.buckets.start(index), self.buckets.last(index));
        self.buckets.free_behind(index);
        self.hand += 1;
        let Some(next) = &mut self.next else { return };
        if bucket.floor > now {
            for index in next.index(from)..=next.index(to) {
                let floor = &mut next.get_mut(index).floor;
                *floor = bucket.floor.max(*floor);
            }
        }
        for Cell { hash, until } in bucket.cells {
            self.used -= usize::from(until != 0);
            if until <= now {
                continue;
            }
            // Where it stood, if there is room, as its other bucket is far away.
            let position = if self.buckets.index(hash) == index { hash } else { second_position(hash) };
            let place = self.place(position);
            match self.bucket(place).free(now) {
                Some(cell) => self.write(place, cell, hash, until),
                None => self.insert(hash, until, now),
            }
        }
        if self.hand == self.buckets.length
            && let Some(next) = self.next.take()
        {
            self.buckets = next;
            self.hand = 0;
        }
    }

    /// Of a table of less than a segment.
    fn grow_at_once(&mut self, now: u64) {
        while self.next.is_some() {
            self.move_bucket(now);
        }
        self.next = Some(Buckets::new((self.buckets.length * 2).min(self.most)));
        self.hand = 0;
        while self.next.is_some() {
            self.move_bucket(now);
        }
    }

    fn next_length(&self) -> usize {
        self.next.as_ref().map_or(0, |next| next.length)
    }

    fn plan_growth(&mut self) {
        let length = self.buckets.length;
        let full = if length <= SEGMENT { SMALL_FULL_PERCENT } else { FULL_PERCENT };
        if self.next.is_none() && length < self.most && self.used * 100 > length * CELLS * full {
            let larger = if length < SMALL { length * 2 } else { length + length / 6 };
            self.next = Some(Buckets::new(larger.min(self.most)));
            self.hand = 0;
        }
    }

    fn write(&mut self, place: Place, cell: usize, hash: u64, until: u64) {
        let before = self.bucket_mut(place).replace(cell, hash, until);
        self.used = self.used + usize::from(until != 0) - usize::from(before != 0);
    }

    #[inline]
    fn place(&self, position: u64) -> Place {
        let index = self.buckets.index(position);
        match &self.next {
            Some(next) if index < self.hand => Place { is_moved: true, index: next.index(position) },
            _ => Place { is_moved: false, index },
        }
    }

    #[inline]
    fn bucket(&self, place: Place) -> &Bucket {
        self.count_visit();
        match &self.next {
            Some(next) if place.is_moved => next.get(place.index),
            _ => self.buckets.get(place.index),
        }
    }

    #[inline]
    fn bucket_mut(&mut self, place: Place) -> &mut Bucket {
        match &mut self.next {
            Some(next) if place.is_moved => next.get_mut(place.index),
            _ => self.buckets.get_mut(place.index),
        }
    }

    #[inline]
    fn count_visit(&self) {
        #[cfg(test)]
        self.visited.set(self.visited.get() + 1);
    }
}

/// A key's other position: the same bits, those first that do not count in the first one.
#[inline]
fn second_position(hash: u64) -> u64 {
    hash.rotate_left(32)
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
