//! The memory of the table: buckets of cells, allocated in segments when they are first written to.

/// Cells in a bucket: with the floor 31 words, so that a bucket is four cache lines.
pub(crate) const CELLS: usize = 15;

/// Buckets are allocated this many at a time: 64 KiB.
const SEGMENT: usize = 256;

#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Bucket {
    // What a search reads comes first, in two cache lines.
    pub(crate) hashes: [u64; CELLS],
    /// No key that is not here and has a position here is in use for longer.
    pub(crate) floor: u64,
    /// A cell is in use until this time: 0 for one that is free and not counted.
    pub(crate) untils: [u64; CELLS],
}

const EMPTY: Bucket = Bucket { hashes: [0; CELLS], floor: 0, untils: [0; CELLS] };

impl Bucket {
    #[inline]
    pub(crate) fn find(&self, hash: u64) -> Option<usize> {
        // No early exit: without branches that depend on the key this is faster.
        let mut found = CELLS;
        for (index, &candidate) in self.hashes.iter().enumerate() {
            if candidate == hash {
                found = index;
            }
        }
        (found < CELLS).then_some(found)
    }

    /// How many cells are in use, and one that is not, if there is one.
    #[inline]
    pub(crate) fn vacancy(&self, now: u64) -> (usize, Option<usize>) {
        let (mut used, mut free) = (0, None);
        for (index, &until) in self.untils.iter().enumerate() {
            if until > now {
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
        for (index, &until) in self.untils.iter().enumerate() {
            if until < earliest.1 {
                earliest = (index, until);
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
