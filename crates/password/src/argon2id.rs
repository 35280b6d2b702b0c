//! Argon2 through `argon2-rust`: parameters in, tag out, with the memory kept between calls.

use std::borrow::Cow;

use argon2_rust::params::{Memory, TagLen};
use argon2_rust::{Algorithm, Argon2, Decoded, Error, Hasher, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::settings::Argon2Settings;

/// The memory of one worker: taken at the first hash, wiped after each, kept for the next.
pub(crate) struct Arena {
    hasher: Option<Hasher>,
}

impl Arena {
    pub(crate) fn new() -> Arena {
        Arena { hasher: None }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.hasher.as_ref().map_or(0, |hasher| hasher.reserved_blocks() * 1024)
    }

    /// Gives the memory back.
    pub(crate) fn clear(&mut self) {
        self.hasher = None;
    }

    /// Argon2id, version 19. Fails only when there is no memory.
    pub(crate) fn hash(
        &mut self,
        settings: &Argon2Settings,
        password: &[u8],
        salt: &[u8],
        secret: &[u8],
        tag: &mut [u8],
    ) -> Result<(), Error> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(settings, tag.len())?);
        self.run(argon2, password, salt, secret, &[], tag)
    }

    /// The tag that `password` has under a stored hash's parameters.
    pub(crate) fn rehash(
        &mut self,
        stored: &Decoded,
        password: &[u8],
        secret: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let mut tag = vec![0; stored.hash.len()];
        let argon2 = Argon2::new(stored.algorithm, stored.version, stored.params);
        self.run(argon2, password, &stored.salt, secret, &stored.ad, &mut tag)?;
        Ok(tag)
    }

    fn run(
        &mut self,
        argon2: Argon2,
        password: &[u8],
        salt: &[u8],
        secret: &[u8],
        ad: &[u8],
        tag: &mut [u8],
    ) -> Result<(), Error> {
        let needed = argon2.params().memory_kib() as usize;
        // A stored hash may have asked for much more than hashes here usually do: do not hold on to it.
        if self.bytes() > 4 * 1024 * needed {
            self.clear();
        }
        let hasher = match &mut self.hasher {
            Some(hasher) => {
                hasher.set_argon2(argon2);
                hasher
            }
            empty => empty.insert(argon2.hasher()),
        };
        hasher.hash_into_with_ad(password, salt, secret, ad, tag)
    }
}

pub(crate) fn params(settings: &Argon2Settings, tag_length: usize) -> Result<Params, Error> {
    Params::builder()
        .memory(Memory::kib(u64::from(settings.memory_kib)))
        .passes(settings.passes)
        .lanes(settings.lanes)
        .tag_len(TagLen::bytes(tag_length as u64))
        .build()
}

/// The PHC string of a tag, with the name of the secret that it was made with.
pub(crate) fn format(
    settings: &Argon2Settings,
    key_id: Option<&str>,
    salt: &[u8],
    tag: &[u8],
) -> Result<String, Error> {
    let params = params(settings, tag.len())?;
    let text = argon2_rust::encode_string_alloc(Algorithm::Argon2id, Version::V0x13, &params, salt, tag)?;
    let Some(key_id) = key_id else { return Ok(text) };
    // Behind the parameters: before the salt's `$`, the fourth.
    let place = text.match_indices('$').nth(3).map_or(text.len(), |(place, _)| place);
    let (parameters, rest) = text.split_at(place);
    Ok(format!("{parameters}{KEY_ID}{}{rest}", STANDARD_NO_PAD.encode(key_id)))
}

const KEY_ID: &str = ",keyid=";

/// The name of the secret in a PHC string, and the string without it; nothing when the name is none.
pub(crate) fn split_key_id(text: &str) -> Option<(Option<String>, Cow<'_, str>)> {
    let Some((before, behind)) = text.split_once(KEY_ID) else {
        return Some((None, Cow::Borrowed(text)));
    };
    let end = behind.find(['$', ','])?;
    let name = String::from_utf8(STANDARD_NO_PAD.decode(&behind[..end]).ok()?).ok()?;
    if name.is_empty() {
        return None;
    }
    Some((Some(name), Cow::Owned(format!("{before}{}", &behind[end..]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The oracle: RustCrypto's argon2.
    fn rustcrypto(
        algorithm: argon2::Algorithm,
        version: argon2::Version,
        settings: &Argon2Settings,
        password: &[u8],
        salt: &[u8],
        secret: &[u8],
    ) -> Vec<u8> {
        let params = argon2::Params::new(
            settings.memory_kib,
            settings.passes,
            settings.lanes,
            Some(settings.tag_length),
        );
        let mut tag = vec![0; settings.tag_length];
        argon2::Argon2::new_with_secret(secret, algorithm, version, params.unwrap())
            .unwrap()
            .hash_password_into(password, salt, &mut tag)
            .unwrap();
        tag
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn agrees_with_rustcrypto(
            password in prop::collection::vec(any::<u8>(), 0..100), salt in prop::collection::vec(any::<u8>(), 8..64),
            lanes in 1u32..5, extra in 0u32..300, passes in 1u32..4, tag_length in 4usize..64,
            secret in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let settings = Argon2Settings { memory_kib: 8 * lanes + extra, passes, lanes, tag_length, salt_length: salt.len() };
            let mut arena = Arena::new();
            let mut tag = vec![0; tag_length];
            arena.hash(&settings, &password, &salt, &secret, &mut tag).unwrap();
            let expected = rustcrypto(argon2::Algorithm::Argon2id, argon2::Version::V0x13, &settings, &password, &salt, &secret);
            prop_assert_eq!(&tag, &expected);

            for (ours, theirs) in [
                (Algorithm::Argon2d, argon2::Algorithm::Argon2d),
                (Algorithm::Argon2i, argon2::Algorithm::Argon2i),
                (Algorithm::Argon2id, argon2::Algorithm::Argon2id),
            ] {
                for (version, their_version) in [
                    (Version::V0x10, argon2::Version::V0x10), (Version::V0x13, argon2::Version::V0x13),
                ] {
                    let stored = Decoded {
                        algorithm: ours, version, params: params(&settings, tag_length).unwrap(),
                        salt: salt.clone(), hash: vec![0; tag_length], ad: Vec::new(),
                    };
                    let expected = rustcrypto(theirs, their_version, &settings, &password, &salt, &secret);
                    prop_assert_eq!(arena.rehash(&stored, &password, &secret).unwrap(), expected);
                }
            }
        }
    }

    #[test]
    fn the_arena_shrinks_after_a_large_hash() {
        let settings =
            |memory_kib| Argon2Settings { memory_kib, passes: 1, lanes: 1, tag_length: 32, salt_length: 16 };
        let mut arena = Arena::new();
        let mut tag = [0; 32];
        arena.hash(&settings(1024), b"", &[0; 16], b"", &mut tag).unwrap();
        assert_eq!(arena.bytes(), 1024 * 1024);
        arena.hash(&settings(64), b"", &[0; 16], b"", &mut tag).unwrap();
        assert_eq!(arena.bytes(), 64 * 1024);
    }
}
