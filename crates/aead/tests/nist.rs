//! AES-GCM against the vectors in `gcm.vectors.json`, which names its sources: the submission that SP 800-38D made a
//! standard (the standard itself prints no vectors), and NIST's validation programme.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use holdfast_aead::{Error, GcmKey, NONCE_LENGTH};
use serde_json::Value;

fn hex(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0, "{text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The oracle: it too has to give what was published, or the vector was copied wrongly.
fn rustcrypto(key: &[u8], nonce: [u8; NONCE_LENGTH], payload: Payload<'_, '_>) -> Vec<u8> {
    match key.len() {
        16 => Aes128Gcm::new_from_slice(key).unwrap().encrypt(&nonce.into(), payload).unwrap(),
        _ => Aes256Gcm::new_from_slice(key).unwrap().encrypt(&nonce.into(), payload).unwrap(),
    }
}

#[test]
fn vectors() {
    let sets: Vec<Value> = serde_json::from_str(include_str!("gcm.vectors.json")).unwrap();
    let mut ran = Vec::new();
    for set in &sets {
        let cases = set["cases"].as_array().unwrap();
        for case in cases {
            let [key, nonce, aad, plaintext, ciphertext, tag] =
                ["key", "nonce", "aad", "plaintext", "ciphertext", "tag"]
                    .map(|field| hex(case[field].as_str().unwrap()));
            let nonce: [u8; NONCE_LENGTH] = nonce.try_into().unwrap();
            let published = [ciphertext, tag].concat();
            let payload = Payload { msg: &plaintext, aad: &aad };
            assert_eq!(rustcrypto(&key, nonce, payload), published, "{case}");

            let key = GcmKey::new(&key).unwrap();
            let mut sealed = vec![0; published.len()];
            assert_eq!(key.encrypt(&nonce, &aad, &plaintext, &mut sealed), Ok(published.len()), "{case}");
            assert_eq!(sealed, published, "{case}");
            let mut opened = vec![0; plaintext.len()];
            assert_eq!(key.decrypt(&nonce, &aad, &published, &mut opened), Ok(plaintext.len()), "{case}");
            assert_eq!(opened, plaintext, "{case}");

            // SP 800-38D, §7.2: the tag is compared whole. Its last bit is what a shorter comparison would miss.
            *sealed.last_mut().unwrap() ^= 1;
            assert_eq!(key.decrypt(&nonce, &aad, &sealed, &mut opened), Err(Error::Decrypt), "{case}");
            assert_eq!(opened, vec![0; plaintext.len()], "{case}");
        }
        ran.push(cases.len());
    }
    // The specification's eight, and of the validation programme 25 pairs of lengths for each key length.
    assert_eq!(ran, [8, 50]);
}
