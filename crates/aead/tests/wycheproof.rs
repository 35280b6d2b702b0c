//! AES-GCM and HKDF-SHA-256 against Project Wycheproof, which looks for the bugs that other implementations had. What
//! was run is counted: a set that came up short fails.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use holdfast_aead::{Error, GcmKey, NONCE_LENGTH, TAG_LENGTH, derive_key};
use wycheproof::{aead, hkdf};

#[derive(Debug, Default, PartialEq, Eq)]
struct Ran {
    valid: usize,
    invalid: usize,
    key_refused: usize,
    nonce_impossible: usize,
}

#[test]
fn aes_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut ran = Ran::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        if test.key.len() == 24 {
            assert!(matches!(GcmKey::new(&test.key), Err(Error::KeyLength)), "{test:?}");
            ran.key_refused += 1;
            continue;
        }
        let key = GcmKey::new(&test.key).unwrap();
        let Ok(nonce) = <&[u8; NONCE_LENGTH]>::try_from(&test.nonce[..]) else {
            // The type takes no other length.
            assert_ne!(test.nonce.len(), 12, "{test:?}");
            ran.nonce_impossible += 1;
            continue;
        };
        assert_eq!(test.tag.len(), TAG_LENGTH, "{test:?}");
        let published = [&test.ct[..], &test.tag].concat();
        // Longer than needed, to see what is written where.
        let mut plain = vec![0xAA; test.ct.len() + 3];
        let opened = key.decrypt(nonce, &test.aad, &published, &mut plain);
        let (plain, beyond) = plain.split_at(test.ct.len());
        assert_eq!(beyond, [0xAA; 3], "{test:?}");
        if test.result.must_fail() {
            assert_eq!(opened, Err(Error::Decrypt), "{test:?}");
            assert!(!plain.is_empty() && plain.iter().all(|&byte| byte == 0), "{test:?} left {plain:02x?}");
            ran.invalid += 1;
            continue;
        }
        assert_eq!(opened, Ok(test.pt.len()), "{test:?}");
        assert_eq!(plain, &test.pt[..], "{test:?}");
        let mut sealed = vec![0; published.len()];
        assert_eq!(key.encrypt(nonce, &test.aad, &test.pt, &mut sealed), Ok(published.len()), "{test:?}");
        assert_eq!(sealed, published, "{test:?}");
        ran.valid += 1;
    }
    assert_eq!(ran, Ran { valid: 79, invalid: 54, key_refused: 103, nonce_impossible: 80 });
}

#[test]
fn hkdf_sha_256() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let mut ran = Ran::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut key = vec![0; test.size];
        let derived = derive_key(&test.ikm, &test.salt, &[&test.info], &mut key);
        if test.result.must_fail() {
            // All of them ask for more than 255 hashes.
            assert_eq!(derived, Err(Error::Length), "{test:?}");
            ran.invalid += 1;
        } else {
            assert_eq!(derived, Ok(()), "{test:?}");
            assert_eq!(key, test.okm[..], "{test:?}");
            ran.valid += 1;
        }
    }
    assert_eq!(ran, Ran { valid: 83, invalid: 3, ..Ran::default() });
}
