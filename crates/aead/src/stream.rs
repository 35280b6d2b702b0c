//! Sealed streams of any length: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) with AES-256-GCM in chunks of 64 KiB.
//!
//! A stream is a header and then frames. The header: kind (1) ‖ length of the key id (1) ‖ key id ‖ salt (32) ‖ commitment (32).
//! The stream's key and the commitment are HKDF-SHA-256 of the ring's key with the salt, over a label, the rest of the header
//! and the caller's associated data: another key, header or associated data gives another commitment, and nothing is decrypted.
//!
//! A frame: 4 bytes big-endian, of which the first bit says that it is the last and the others are the length of the
//! plaintext ‖ ciphertext ‖ tag (16). Its nonce is its number and whether it is the last; the four bytes are its associated data.
//! All but the last hold exactly 64 KiB, and the last is empty only when it is the only one: a plaintext has one way to be cut.

use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::gcm::{Error, NONCE_LENGTH, TAG_LENGTH, decrypt_in_place, encrypt_in_place};
use crate::hkdf::derive_key;
use crate::keyring::{Keyring, Kind, RingKey};
use crate::random::random;
use crate::wipe::{WipedKey, burn_stack};

/// Bytes of plaintext in every frame but the last.
pub const CHUNK_LENGTH: usize = 64 * 1024;
/// How much longer a frame is than its plaintext.
pub const FRAME_OVERHEAD: usize = PREFIX_LENGTH + TAG_LENGTH;

const PREFIX_LENGTH: usize = 4;
const SALT_LENGTH: usize = 32;
const COMMITMENT_LENGTH: usize = 32;
const IS_LAST: u32 = 1 << 31;
const LABEL: &[u8] = b"holdfast stream";

/// 256 TiB. Far from what AES-GCM bears, and more than anybody has.
const MAX_FRAMES: u64 = 1 << 32;

/// Seals one stream.
pub struct StreamSealer(Frames);

/// Opens one stream.
pub struct StreamOpener(Frames);

/// How far a call of [`StreamOpener::open`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of whole frames that were read.
    pub read: usize,
    /// Bytes of plaintext that were written.
    pub written: usize,
    /// The last frame was among them.
    pub finished: bool,
}

/// The key and the place in the stream. Without a key once the last frame is done.
struct Frames {
    key: Option<WipedKey>,
    number: u64,
}

impl StreamSealer {
    /// Bytes of the header of streams that are sealed under the ring's primary key.
    pub fn header_length(ring: &Keyring) -> usize {
        ring.header_length() + SALT_LENGTH + COMMITMENT_LENGTH
    }

    /// Writes the header to the front of `destination`.
    pub fn new(ring: &Keyring, aad: &[u8], destination: &mut [u8]) -> Result<StreamSealer, Error> {
        let header_length = ring.header_length();
        let destination = destination.get_mut(..StreamSealer::header_length(ring)).ok_or(Error::Length)?;
        let (header, rest) = destination.split_at_mut(header_length);
        let (salt, commitment) = rest.split_at_mut(SALT_LENGTH);
        ring.write_header(Kind::Stream, header);
        random(salt)?;
        let (frames, computed) = start(ring.primary().1, header, salt, aad)?;
        commitment.copy_from_slice(&computed);
        Ok(StreamSealer(frames))
    }

    /// Seals whole chunks, or, as the last call, at most one; returns how many bytes were written.
    pub fn seal(&mut self, plaintext: &[u8], last: bool, destination: &mut [u8]) -> Result<usize, Error> {
        let is_right = if last {
            plaintext.len() <= CHUNK_LENGTH && !(plaintext.is_empty() && self.0.number > 0)
        } else {
            plaintext.len().is_multiple_of(CHUNK_LENGTH)
        };
        if !is_right {
            return Err(Error::Length);
        }
        if last {
            return self.0.seal_copy(plaintext, true, destination);
        }
        let mut written = 0;
        for chunk in plaintext.chunks_exact(CHUNK_LENGTH) {
            written += self.0.seal_copy(chunk, false, &mut destination[written..])?;
        }
        Ok(written)
    }

    /// Seals one whole chunk, not the last, where it stands: in a frame, of which it lacks the prefix and the tag.
    pub fn seal_in_place(&mut self, frame: &mut [u8]) -> Result<(), Error> {
        if frame.len() != CHUNK_LENGTH + FRAME_OVERHEAD {
            return Err(Error::Length);
        }
        self.0.seal(false, frame)
    }
}

impl StreamOpener {
    /// Bytes of the header of which `start` is the start, or nothing while it is too short to tell.
    pub fn header_length(start: &[u8]) -> Option<usize> {
        start.get(1).map(|&id| 2 + usize::from(id) + SALT_LENGTH + COMMITMENT_LENGTH)
    }

    /// Reads the header.
    pub fn new(ring: &Keyring, aad: &[u8], header: &[u8]) -> Result<StreamOpener, Error> {
        let (key, header, rest) = ring.key_of(Kind::Stream, header)?;
        let (salt, commitment) = rest.split_at_checked(SALT_LENGTH).ok_or(Error::Decrypt)?;
        let (frames, computed) = start(key, header, salt, aad)?;
        if bool::from(computed.ct_eq(commitment)) { Ok(StreamOpener(frames)) } else { Err(Error::Decrypt) }
    }

    /// Opens the whole frames at the front of `sealed`, into a destination that is as long. After an error nothing more is
    /// opened. What comes after the last frame is an error.
    pub fn open(&mut self, sealed: &[u8], destination: &mut [u8]) -> Result<Progress, Error> {
        let result = self.open_frames(sealed, destination);
        if result.is_err() {
            self.0.key = None;
        }
        result
    }

    /// Opens one frame where it stands: the plaintext is what is between prefix and tag. Says whether it was the last. As after
    /// [`StreamOpener::open`], nothing is opened after an error.
    pub fn open_in_place(&mut self, frame: &mut [u8]) -> Result<bool, Error> {
        let result = self.open_frame(frame);
        if result.is_err() {
            self.0.key = None;
        }
        result
    }

    fn open_frame(&mut self, frame: &mut [u8]) -> Result<bool, Error> {
        let (prefix, rest) = frame.split_first_chunk_mut::<PREFIX_LENGTH>().ok_or(Error::Decrypt)?;
        let (last, length) = self.0.read_prefix(*prefix)?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG_LENGTH>().ok_or(Error::Decrypt)?;
        if body.len() != length {
            return Err(Error::Decrypt);
        }
        self.0.open(*prefix, last, body, tag)?;
        Ok(last)
    }

    fn open_frames(&mut self, sealed: &[u8], destination: &mut [u8]) -> Result<Progress, Error> {
        let mut progress = Progress { read: 0, written: 0, finished: self.0.key.is_none() };
        loop {
            let rest = &sealed[progress.read..];
            if progress.finished {
                return if rest.is_empty() { Ok(progress) } else { Err(Error::Decrypt) };
            }
            let Some((prefix, rest)) = rest.split_first_chunk::<PREFIX_LENGTH>() else { return Ok(progress) };
            let (last, length) = self.0.read_prefix(*prefix)?;
            let Some((ciphertext, tag)) =
                rest.get(..length + TAG_LENGTH).and_then(<[u8]>::split_last_chunk::<TAG_LENGTH>)
            else {
                return Ok(progress);
            };
            let end = progress.written + length;
            let body = destination.get_mut(progress.written..end).ok_or(Error::Length)?;
            body.copy_from_slice(ciphertext);
            self.0.open(*prefix, last, body, tag)?;
            progress.read += length + FRAME_OVERHEAD;
            progress.written += length;
            progress.finished = last;
        }
    }
}

impl Frames {
    /// Whether the frame is the last, and the length of its plaintext.
    fn read_prefix(&self, prefix: [u8; PREFIX_LENGTH]) -> Result<(bool, usize), Error> {
        let word = u32::from_be_bytes(prefix);
        let (last, length) = (word & IS_LAST != 0, (word & !IS_LAST) as usize);
        let is_legal = match last {
            true => length <= CHUNK_LENGTH && (length > 0 || self.number == 0),
            false => length == CHUNK_LENGTH,
        };
        if is_legal { Ok((last, length)) } else { Err(Error::Decrypt) }
    }

    fn seal_copy(&mut self, plaintext: &[u8], last: bool, destination: &mut [u8]) -> Result<usize, Error> {
        let length = plaintext.len() + FRAME_OVERHEAD;
        let frame = destination.get_mut(..length).ok_or(Error::Length)?;
        frame[PREFIX_LENGTH..length - TAG_LENGTH].copy_from_slice(plaintext);
        self.seal(last, frame)?;
        Ok(length)
    }

    /// Fills in what a frame that holds plaintext lacks, and encrypts it.
    fn seal(&mut self, last: bool, frame: &mut [u8]) -> Result<(), Error> {
        let nonce = self.nonce(last)?;
        let key = self.key.as_ref().ok_or(Error::Length)?;
        let (prefix, rest) = frame.split_first_chunk_mut::<PREFIX_LENGTH>().ok_or(Error::Length)?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG_LENGTH>().ok_or(Error::Length)?;
        // At most 65,536.
        *prefix = (body.len() as u32 | if last { IS_LAST } else { 0 }).to_be_bytes();
        tag.copy_from_slice(encrypt_in_place(key.get(), &nonce, prefix, body)?.as_ref());
        self.advance(last);
        Ok(())
    }

    fn open(
        &mut self,
        prefix: [u8; PREFIX_LENGTH],
        last: bool,
        body: &mut [u8],
        tag: &[u8; TAG_LENGTH],
    ) -> Result<(), Error> {
        let opened = match (self.nonce(last), &self.key) {
            (Ok(nonce), Some(key)) => decrypt_in_place(key.get(), &nonce, &prefix, body, tag),
            _ => Err(Error::Decrypt),
        };
        if opened.is_ok() {
            self.advance(last);
        }
        opened
    }

    /// The frame's number, big-endian, in eleven bytes, and whether it is the last.
    fn nonce(&self, last: bool) -> Result<[u8; NONCE_LENGTH], Error> {
        if self.number >= MAX_FRAMES {
            return Err(Error::KeyExhausted);
        }
        let mut nonce = [0; NONCE_LENGTH];
        nonce[3..11].copy_from_slice(&self.number.to_be_bytes());
        nonce[11] = u8::from(last);
        Ok(nonce)
    }

    fn advance(&mut self, last: bool) {
        self.number += 1;
        if last {
            self.key = None;
        }
    }
}

fn start(
    key: &RingKey,
    header: &[u8],
    salt: &[u8],
    aad: &[u8],
) -> Result<(Frames, [u8; COMMITMENT_LENGTH]), Error> {
    let result = derive(key, header, salt, aad);
    burn_stack();
    result
}

/// Not inlined: what it leaves on the stack is burnt by its caller.
#[inline(never)]
fn derive(
    key: &RingKey,
    header: &[u8],
    salt: &[u8],
    aad: &[u8],
) -> Result<(Frames, [u8; COMMITMENT_LENGTH]), Error> {
    let mut derived = Zeroizing::new([0; 32 + COMMITMENT_LENGTH]);
    // The header carries its own length, so where it ends and the associated data begins is never in doubt.
    derive_key(&*key.secret, salt, &[LABEL, header, aad], &mut *derived)?;
    let (key, computed) = derived.split_at(32);
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::KeyLength)?;
    let mut commitment = [0; COMMITMENT_LENGTH];
    commitment.copy_from_slice(computed);
    Ok((Frames { key: Some(WipedKey::new(LessSafeKey::new(key))), number: 0 }, commitment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::KeyId;
    use proptest::prelude::*;

    fn ring() -> Keyring {
        Keyring::new(KeyId::new(b"k1").unwrap(), &[1; 32]).unwrap()
    }

    fn sealed(ring: &Keyring, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; StreamSealer::header_length(ring)];
        let mut sealer = StreamSealer::new(ring, aad, &mut sealed).unwrap();
        let whole = plaintext.len().saturating_sub(1) / CHUNK_LENGTH * CHUNK_LENGTH;
        let mut frames = vec![0; plaintext.len() + (whole / CHUNK_LENGTH + 1) * FRAME_OVERHEAD];
        let written = sealer.seal(&plaintext[..whole], false, &mut frames).unwrap();
        let last = sealer.seal(&plaintext[whole..], true, &mut frames[written..]).unwrap();
        assert_eq!(written + last, frames.len());
        sealed.extend_from_slice(&frames);
        sealed
    }

    /// The plaintext, and whether it was whole.
    fn opened(ring: &Keyring, aad: &[u8], sealed: &[u8]) -> Result<(Vec<u8>, bool), Error> {
        let length = StreamOpener::header_length(sealed).filter(|&length| length <= sealed.len());
        let Some(length) = length else { return Ok((Vec::new(), false)) };
        let mut opener = StreamOpener::new(ring, aad, &sealed[..length])?;
        let mut plaintext = vec![0; sealed.len()];
        let progress = opener.open(&sealed[length..], &mut plaintext)?;
        plaintext.truncate(progress.written);
        Ok((plaintext, progress.finished))
    }

    #[test]
    fn lengths_around_the_chunks() {
        let ring = ring();
        for length in [0, 1, 15, 16, CHUNK_LENGTH - 1, CHUNK_LENGTH, CHUNK_LENGTH + 1, 3 * CHUNK_LENGTH] {
            let plaintext: Vec<u8> = (0..length).map(|at| (at * 7 / 3) as u8).collect();
            let sealed = sealed(&ring, b"aad", &plaintext);
            assert_eq!(opened(&ring, b"aad", &sealed), Ok((plaintext, true)), "{length}");
            assert_eq!(opened(&ring, b"", &sealed), Err(Error::Decrypt));
        }
    }

    #[test]
    fn every_cut_is_noticed_and_every_flipped_bit_rejected() {
        let ring = ring();
        let sealed = sealed(&ring, b"", &[9; 20]);
        for cut in 0..sealed.len() {
            let (plaintext, finished) = opened(&ring, b"", &sealed[..cut]).unwrap();
            assert!(!finished && plaintext.is_empty(), "{cut}");
        }
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match opened(&ring, b"", &damaged) {
                Err(Error::Decrypt | Error::UnknownKey) => {}
                // A longer id or frame is not all there.
                Ok((plaintext, false)) => assert!(plaintext.is_empty(), "{bit}"),
                other => panic!("bit {bit}: {other:?}"),
            }
        }
        let mut longer = sealed.clone();
        longer.push(0);
        assert_eq!(opened(&ring, b"", &longer), Err(Error::Decrypt));
    }

    #[test]
    fn frames_stay_in_their_places() {
        let ring = ring();
        let mut plaintext = vec![1; 3 * CHUNK_LENGTH + 5];
        plaintext[CHUNK_LENGTH..2 * CHUNK_LENGTH].fill(2);
        let sealed = sealed(&ring, b"", &plaintext);
        let (header, frames) = sealed.split_at(StreamSealer::header_length(&ring));
        let frames: Vec<&[u8]> = frames.chunks(CHUNK_LENGTH + FRAME_OVERHEAD).collect();
        let of = |order: &[usize]| {
            let frames: Vec<&[u8]> = order.iter().map(|&frame| frames[frame]).collect();
            opened(&ring, b"", &[header, &frames.concat()].concat())
        };
        assert_eq!(of(&[0, 1, 2, 3]), Ok((plaintext, true)));
        for order in [&[1, 0, 2, 3][..], &[0, 0, 1, 2, 3], &[0, 2, 3], &[3], &[1, 2, 3], &[0, 1, 2, 3, 3]] {
            assert_eq!(of(order), Err(Error::Decrypt), "{order:?}");
        }
        for order in [&[][..], &[0], &[0, 1, 2]] {
            assert!(!of(order).unwrap().1, "{order:?}");
        }
    }

    #[test]
    fn a_frame_is_not_taken_for_the_last_or_a_later_one() {
        let ring = ring();
        let sealed = sealed(&ring, b"", &vec![1; 2 * CHUNK_LENGTH]);
        let header = StreamSealer::header_length(&ring);
        let mut marked = sealed[..header + CHUNK_LENGTH + FRAME_OVERHEAD].to_vec();
        marked[header] |= 0x80;
        assert_eq!(opened(&ring, b"", &marked), Err(Error::Decrypt));
        let mut unmarked = sealed;
        unmarked[header + CHUNK_LENGTH + FRAME_OVERHEAD] &= 0x7F;
        assert_eq!(opened(&ring, b"", &unmarked), Err(Error::Decrypt));
    }

    #[test]
    fn nothing_follows_an_error_or_the_end() {
        let ring = ring();
        let mut header = vec![0; StreamSealer::header_length(&ring)];
        let mut sealer = StreamSealer::new(&ring, b"", &mut header).unwrap();
        let mut frame = vec![0; CHUNK_LENGTH + FRAME_OVERHEAD];
        assert_eq!(sealer.seal(&[0; 9], false, &mut frame), Err(Error::Length));
        assert_eq!(sealer.seal(&vec![0; CHUNK_LENGTH + 1], true, &mut frame), Err(Error::Length));
        assert_eq!(sealer.seal(&[], false, &mut frame), Ok(0));
        assert_eq!(sealer.seal(&vec![3; CHUNK_LENGTH], false, &mut frame), Ok(frame.len()));
        assert_eq!(sealer.seal(&[], true, &mut [0; 99]), Err(Error::Length), "the last is not empty");
        let mut last = [0; 1 + FRAME_OVERHEAD];
        assert_eq!(sealer.seal(b"x", true, &mut last), Ok(last.len()));
        assert_eq!(sealer.seal(b"x", true, &mut last), Err(Error::Length));

        let mut opener = StreamOpener::new(&ring, b"", &header).unwrap();
        let mut plaintext = vec![0; frame.len()];
        let mut damaged = frame.clone();
        damaged[100] ^= 1;
        assert_eq!(opener.open(&damaged, &mut plaintext), Err(Error::Decrypt));
        assert!(plaintext.iter().all(|&byte| byte == 0));
        assert_eq!(opener.open(&frame, &mut plaintext), Err(Error::Decrypt), "it has failed");
    }

    #[test]
    fn in_place_is_the_same() {
        let ring = ring();
        let plaintext: Vec<u8> = (0..2 * CHUNK_LENGTH + 5).map(|at| (at % 253) as u8).collect();
        let mut sealed = vec![0; StreamSealer::header_length(&ring)];
        let mut sealer = StreamSealer::new(&ring, b"", &mut sealed).unwrap();
        for chunk in plaintext.chunks(CHUNK_LENGTH) {
            let mut frame = vec![0; chunk.len() + FRAME_OVERHEAD];
            if chunk.len() == CHUNK_LENGTH {
                frame[PREFIX_LENGTH..][..CHUNK_LENGTH].copy_from_slice(chunk);
                assert_eq!(sealer.seal_in_place(&mut frame[1..]), Err(Error::Length));
                assert_eq!(sealer.seal_in_place(&mut frame), Ok(()));
            } else {
                assert_eq!(sealer.seal(chunk, true, &mut frame), Ok(frame.len()));
            }
            sealed.extend_from_slice(&frame);
        }
        assert_eq!(opened(&ring, b"", &sealed), Ok((plaintext.clone(), true)));

        let (header, frames) = sealed.split_at(StreamSealer::header_length(&ring));
        let mut opener = StreamOpener::new(&ring, b"", header).unwrap();
        let mut found = Vec::new();
        for (number, frame) in frames.chunks(CHUNK_LENGTH + FRAME_OVERHEAD).enumerate() {
            let mut frame = frame.to_vec();
            assert_eq!(opener.open_in_place(&mut frame), Ok(number == 2));
            found.extend_from_slice(&frame[PREFIX_LENGTH..frame.len() - TAG_LENGTH]);
        }
        assert_eq!(found, plaintext);
        assert_eq!(opener.open_in_place(&mut [0; FRAME_OVERHEAD]), Err(Error::Decrypt), "it has ended");

        for length in 0..=CHUNK_LENGTH + FRAME_OVERHEAD {
            if length % 997 != 0 && length > 50 && length < CHUNK_LENGTH {
                continue;
            }
            let mut opener = StreamOpener::new(&ring, b"", header).unwrap();
            let mut frame = frames[..length].to_vec();
            let is_whole = length == CHUNK_LENGTH + FRAME_OVERHEAD;
            assert_eq!(opener.open_in_place(&mut frame).is_ok(), is_whole, "{length}");
            let mut whole = frames[..CHUNK_LENGTH + FRAME_OVERHEAD].to_vec();
            assert!(opener.open_in_place(&mut whole).is_err(), "it has failed, or comes twice");
        }
    }

    #[test]
    fn streams_do_not_share_frames_and_kinds_do_not_mix() {
        let ring = ring();
        let (first, second) = (sealed(&ring, b"", &[1; 9]), sealed(&ring, b"", &[1; 9]));
        let header = StreamSealer::header_length(&ring);
        let mixed = [&first[..header], &second[header..]].concat();
        assert_eq!(opened(&ring, b"", &mixed), Err(Error::Decrypt));
        assert_eq!(ring.open(b"", &first, &mut [0; 200]), Err(Error::Decrypt));
        let mut message = [0; 99];
        let length = ring.seal(b"", &[0; 30], &mut message).unwrap();
        assert_eq!(StreamOpener::new(&ring, b"", &message[..length]).err(), Some(Error::Decrypt));
        let other = Keyring::new(KeyId::new(b"k1").unwrap(), &[2; 32]).unwrap();
        assert_eq!(opened(&other, b"", &first), Err(Error::Decrypt));
        let unknown = Keyring::new(KeyId::new(b"k2").unwrap(), &[1; 32]).unwrap();
        assert_eq!(opened(&unknown, b"", &first), Err(Error::UnknownKey));
    }

    #[test]
    fn the_last_number() {
        let ring = ring();
        let mut sealer = StreamSealer::new(&ring, b"", &mut [0; 99]).unwrap();
        sealer.0.number = MAX_FRAMES - 1;
        let mut frame = vec![0; CHUNK_LENGTH + FRAME_OVERHEAD];
        assert_eq!(sealer.seal(&vec![0; CHUNK_LENGTH], false, &mut frame), Ok(frame.len()));
        assert_eq!(sealer.seal(b"x", true, &mut frame), Err(Error::KeyExhausted));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn opens_in_any_pieces(length in 0..200_000usize, cuts in prop::collection::vec(1..100_000usize, 1..20)) {
            let ring = ring();
            let plaintext: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let sealed = sealed(&ring, b"a", &plaintext);
            let (header, mut rest) = sealed.split_at(StreamSealer::header_length(&ring));
            let mut opener = StreamOpener::new(&ring, b"a", header).unwrap();
            let (mut held, mut found, mut finished) = (Vec::new(), Vec::new(), false);
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                rest = after;
                held.extend_from_slice(piece);
                let mut place = vec![0; held.len()];
                let progress = opener.open(&held, &mut place).unwrap();
                held.drain(..progress.read);
                found.extend_from_slice(&place[..progress.written]);
                finished = progress.finished;
                if rest.is_empty() { break; }
            }
            prop_assert!(finished && held.is_empty());
            prop_assert_eq!(found, plaintext);
        }
    }
}
