//! The memory of the table: buckets of cells, allocated in segments when they are first written to.

/// Cells in a bucket, so that it is four cache lines.
pub(crate) const CELLS: usize = 14;

/// Buckets are allocated this many at a time: 64 KiB.
pub(crate) const SEGMENT: usize = 256;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) hash: u64,
    /// The cell is in use until this time: 0 for one that is free and not counted.
    pub(crate) until: u64,
}

#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Bucket {
    // What a search for a key that is not here reads comes first, in one cache line; a key that is takes one more.
    /// The last byte of each hash: a search compares these at once, and then hardly ever more than one hash.
    tags: [u64; 2],
    /// No key that is not here and has a position here is in use for longer.
    pub(crate) floor: u64,
    pub(crate) cells: [Cell; CELLS],
}

const EMPTY: Bucket = Bucket { tags: [0; 2], floor: 0, cells: [Cell { hash: 0, until: 0 }; CELLS] };

/// A bit for each cell in which a key may be.
#[derive(Clone, Copy)]
pub(crate) struct Candidates(u32);

impl Candidates {
    #[inline]
    pub(crate) fn are_none(self) -> bool {
        self.0 == 0
    }
}

/// The lowest bit of each byte.
const LOW_BITS: u64 = 0x0101_0101_0101_0101;

/// Brings the lowest bit of byte n to bit 56 + n.
const GATHER: u64 = 0x0102_0408_1020_4080;

impl Bucket {
    /// The cells whose tags are as of this hash, and perhaps some more.
    #[inline]
    pub(crate) fn candidates(&self, hash: u64) -> Candidates {
        let [low, high] = self.tags.map(|tags| {
            // A byte of the difference is 0 where a tag is equal; its top bit is then set here. A borrow from such a byte may
            // set others above it.
            let difference = tags ^ (LOW_BITS * u64::from(tag_of(hash)));
            let equal = difference.wrapping_sub(LOW_BITS) & !difference & (LOW_BITS << 7);
            // The eight top bits, side by side.
            ((equal >> 7).wrapping_mul(GATHER) >> 56) as u32
        });
        Candidates(low | high << 8)
    }

    /// The cell of a key, one of these candidates.
    #[inline]
    pub(crate) fn find(&self, hash: u64, candidates: Candidates) -> Option<usize> {
        let mut cells = candidates.0;
        while cells != 0 {
            let cell = cells.trailing_zeros() as usize;
            // Two tags are none of a cell.
            if self.cells.get(cell).is_some_and(|cell| cell.hash == hash) {
                return Some(cell);
            }
            cells &= cells - 1;
        }
        None
    }

    /// Puts a key into a cell. Returns until when the key that was there is in use.
    #[inline]
    pub(crate) fn replace(&mut self, cell: usize, hash: u64, until: u64) -> u64 {
        let (word, shift) = (cell / 8, cell % 8 * 8);
        self.tags[word] = self.tags[word] & !(0xFF << shift) | u64::from(tag_of(hash)) << shift;
        std::mem::replace(&mut self.cells[cell], Cell { hash, until }).until
    }

    /// A cell that is free.
    #[inline]
    pub(crate) fn free(&self, now: u64) -> Option<usize> {
        self.cells.iter().position(|cell| cell.until <= now)
    }

    /// How many cells are in use, and one that is not, if there is one.
    #[inline]
    pub(crate) fn vacancy(&self, now: u64) -> (usize, Option<usize>) {
        let (mut used, mut free) = (0, None);
        for (index, cell) in self.cells.iter().enumerate() {
            if cell.until > now {
                used += 1;
            } else {
                free = Some(index);
            }
        }
        (used, free)
    }

    /// The cell that recovers first.
    pub(crate) fn earliest(&self) -> (usize, u64) {
        let mut earliest = (0, u64::MAX);
        for (index, cell) in self.cells.iter().enumerate() {
            if cell.until < earliest.1 {
                earliest = (index, cell.until);
            }
        }
        earliest
    }
}

/// The buckets of one size of the table.
pub(crate) struct Buckets {
    segments: Vec<Option<Box<[Bucket]>>>,
    pub(crate) length: usize,
    /// Of the segments that are there, and the list of them.
    pub(crate) bytes: usize,
}

impl Buckets {
    pub(crate) fn new(length: usize) -> Buckets {
        let mut segments = Vec::new();
        segments.resize_with(length.div_ceil(SEGMENT), || None);
        let bytes = segments.capacity() * size_of::<Option<Box<[Bucket]>>>();
        Buckets { segments, length, bytes }
    }

    /// The bucket that holds a position: positions are divided evenly, and in order.
    #[inline]
    pub(crate) fn index(&self, position: u64) -> usize {
        ((u128::from(position) * self.length as u128) >> 64) as usize
    }

    /// The first position of a bucket.
    pub(crate) fn start(&self, index: usize) -> u64 {
        let start = ((index as u128) << 64).div_ceil(self.length as u128);
        u64::try_from(start).unwrap_or(u64::MAX)
    }

    /// The last position of a bucket.
    pub(crate) fn last(&self, index: usize) -> u64 {
        if index + 1 == self.length { u64::MAX } else { self.start(index + 1) - 1 }
    }

    /// Whether a bucket was written to, or others that came with it.
    pub(crate) fn exists(&self, index: usize) -> bool {
        self.segments[index / SEGMENT].is_some()
    }

    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Bucket> {
        self.segments.iter_mut().flatten().flat_map(|segment| segment.iter_mut())
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> &Bucket {
        match &self.segments[index / SEGMENT] {
            Some(segment) => &segment[index % SEGMENT],
            None => &EMPTY,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> &mut Bucket {
        let segment = self.segments[index / SEGMENT].get_or_insert_with(|| {
            let places = SEGMENT.min(self.length - index / SEGMENT * SEGMENT);
            self.bytes += places * size_of::<Bucket>();
            vec![EMPTY; places].into()
        });
        &mut segment[index % SEGMENT]
    }

    /// Gives back the memory of a bucket that is the last one of its segment to be used.
    pub(crate) fn free_behind(&mut self, index: usize) {
        if index % SEGMENT == SEGMENT - 1
            && let Some(segment) = self.segments[index / SEGMENT].take()
        {
            self.bytes -= size_of_val::<[Bucket]>(&segment);
        }
    }
}

#[inline]
fn tag_of(hash: u64) -> u8 {
    hash as u8
}
