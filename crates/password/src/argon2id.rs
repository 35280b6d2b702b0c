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

/// The name of the secret in a PHC string, and the string without it; nothing when a parameter is missing, there twice, or
/// not known.
pub(crate) fn split_key_id(text: &str) -> Option<(Option<String>, Cow<'_, str>)> {
    let parameters = text.split('$').find(|part| part.contains('=') && !part.starts_with("v="))?;
    let mut seen = [0; 5];
    for parameter in parameters.split(',') {
        let (name, _) = parameter.split_once('=')?;
        let place = ["m", "t", "p", "keyid", "data"].iter().position(|known| *known == name)?;
        seen[place] += 1;
    }
    if seen[..3] != [1, 1, 1] || seen[3] > 1 || seen[4] > 1 || text.matches("keyid").count() > seen[3] {
        return None;
    }
    if seen[3] == 0 {
        return Some((None, Cow::Borrowed(text)));
    }
    let (before, behind) = text.split_once(KEY_ID)?;
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

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 9106, section 5.
    #[test]
    fn vectors_of_the_rfc() {
        let settings =
            Argon2Settings { memory_kib: 32, passes: 3, lanes: 4, tag_length: 32, salt_length: 16 };
        for (algorithm, expected) in [
            (Algorithm::Argon2d, "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb"),
            (Algorithm::Argon2i, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"),
            (Algorithm::Argon2id, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"),
        ] {
            let stored = Decoded {
                algorithm,
                version: Version::V0x13,
                params: params(&settings, 32).unwrap(),
                salt: vec![2; 16],
                hash: vec![0; 32],
                ad: vec![4; 12],
            };
            let tag = Arena::new().rehash(&stored, &[1; 32], &[3; 8]).unwrap();
            assert_eq!(hex(&tag), expected);
        }
    }

    /// From src/test.c of the reference implementation, those of 256 KiB: "password" and "somesalt".
    #[test]
    fn vectors_of_the_reference_implementation() {
        for (algorithm, version, lanes, expected) in [
            (
                Algorithm::Argon2i,
                Version::V0x10,
                1,
                "fd4dd83d762c49bdeaf57c47bdcd0c2f1babf863fdeb490df63ede9975fccf06",
            ),
            (
                Algorithm::Argon2i,
                Version::V0x10,
                2,
                "b6c11560a6a9d61eac706b79a2f97d68b4463aa3ad87e00c07e2b01e90c564fb",
            ),
            (
                Algorithm::Argon2i,
                Version::V0x13,
                1,
                "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f",
            ),
            (
                Algorithm::Argon2i,
                Version::V0x13,
                2,
                "4ff5ce2769a1d7f4c8a491df09d41a9fbe90e5eb02155a13e4c01e20cd4eab61",
            ),
            (
                Algorithm::Argon2id,
                Version::V0x13,
                1,
                "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
            ),
            (
                Algorithm::Argon2id,
                Version::V0x13,
                2,
                "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
            ),
        ] {
            let settings =
                Argon2Settings { memory_kib: 256, passes: 2, lanes, tag_length: 32, salt_length: 8 };
            let stored = Decoded {
                algorithm,
                version,
                params: params(&settings, 32).unwrap(),
                salt: b"somesalt".to_vec(),
                hash: vec![0; 32],
                ad: Vec::new(),
            };
            assert_eq!(hex(&Arena::new().rehash(&stored, b"password", b"").unwrap()), expected);
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
