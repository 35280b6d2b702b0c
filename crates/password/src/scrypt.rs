//! scrypt (RFC 7914) as PHC strings: `$scrypt$ln=17,r=8,p=1$salt$hash`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use scrypt::Params;

use crate::settings::{Limits, ScryptSettings};
use crate::stored::StoredError;

/// Bytes of a new salt and of a new hash.
pub(crate) const SALT_LENGTH: usize = 16;
pub(crate) const HASH_LENGTH: usize = 32;

/// A stored scrypt hash, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScryptHash {
    /// What it was made with.
    pub settings: ScryptSettings,
    /// 1 to 64 bytes.
    pub salt: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// The hash of `password`; nothing when the parameters are none.
pub(crate) fn hash(settings: ScryptSettings, password: &[u8], salt: &[u8], length: usize) -> Option<Vec<u8>> {
    let params = Params::new(settings.log_n as u8, settings.r, settings.p).ok()?;
    let mut hash = vec![0; length];
    scrypt::scrypt(password, salt, &params, &mut hash).ok()?;
    Some(hash)
}

pub(crate) fn format(settings: ScryptSettings, salt: &[u8], hash: &[u8]) -> String {
    let ScryptSettings { log_n, r, p } = settings;
    format!(
        "$scrypt$ln={log_n},r={r},p={p}${}${}",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    )
}

pub(crate) fn parse(text: &str, limits: &Limits) -> Result<ScryptHash, StoredError> {
    let (settings, salt, hash) = split(text).ok_or(StoredError::Malformed)?;
    let ScryptSettings { log_n, r, p } = settings;
    // RFC 7914: N is a power of two above 1 and below 2^(128 · r / 8), and p is at most (2³² − 1) · 32 / (128 · r).
    let (wide_r, wide_p) = (u64::from(r), u64::from(p));
    if r == 0 || p == 0 || log_n == 0 || u64::from(log_n) >= 16 * wide_r || wide_r * wide_p >= 1 << 30 {
        return Err(StoredError::Malformed);
    }
    let takes_too_much =
        limits.memory_kib != u32::MAX && settings.memory_kib() > u64::from(limits.memory_kib);
    let is_over = log_n > limits.log_n || p > limits.lanes || takes_too_much;
    if is_over {
        return Err(StoredError::Limit);
    }
    Params::new(log_n as u8, r, p).map_err(|_| StoredError::Malformed)?;
    let decode = |text| STANDARD_NO_PAD.decode(text).map_err(|_| StoredError::Malformed);
    let (salt, hash) = (decode(salt)?, decode(hash)?);
    if !(1..=64).contains(&salt.len()) || !(10..=64).contains(&hash.len()) {
        return Err(StoredError::Malformed);
    }
    Ok(ScryptHash { settings, salt, hash })
}

fn split(text: &str) -> Option<(ScryptSettings, &str, &str)> {
    let rest = text.strip_prefix("$scrypt$")?;
    let mut parts = rest.split('$');
    let (parameters, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let mut parameters = parameters.split(',');
    let log_n = number(parameters.next()?.strip_prefix("ln=")?)?;
    let r = number(parameters.next()?.strip_prefix("r=")?)?;
    let p = number(parameters.next()?.strip_prefix("p=")?)?;
    parameters.next().is_none().then_some((ScryptSettings { log_n, r, p }, salt, hash))
}

/// Digits without a sign or leading zeros; what does not fit is as large as can be, and over every limit.
fn number(text: &str) -> Option<u32> {
    let is_number =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    if text.is_empty() || !is_number {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { memory_kib: 1 << 18, passes: 16, lanes: 16, cost: 16, log_n: 20 };

    /// RFC 7914, section 12.
    #[test]
    fn published_hashes() {
        let settings = |log_n, r, p| ScryptSettings { log_n, r, p };
        let start = |hash: Option<Vec<u8>>| hash.unwrap()[..8].to_vec();
        assert_eq!(
            start(hash(settings(4, 1, 1), b"", b"", 64)),
            [0x77, 0xd6, 0x57, 0x62, 0x38, 0x65, 0x7b, 0x20]
        );
        assert_eq!(
            start(hash(settings(10, 8, 16), b"password", b"NaCl", 64)),
            [0xfd, 0xba, 0xbe, 0x1c, 0x9d, 0x34, 0x72, 0x00]
        );
        assert_eq!(
            start(hash(settings(14, 8, 1), b"pleaseletmein", b"SodiumChloride", 64)),
            [0x70, 0x23, 0xbd, 0xcb, 0x3a, 0xfd, 0x73, 0x48]
        );
    }

    #[test]
    fn strings_are_read_as_they_are_written() {
        let settings = ScryptSettings { log_n: 4, r: 8, p: 2 };
        let made = format(settings, b"somesalt", &hash(settings, b"pw", b"somesalt", 32).unwrap());
        let read = parse(&made, &LIMITS).unwrap();
        assert_eq!((read.settings, &read.salt[..]), (settings, &b"somesalt"[..]));
        assert_eq!(format(read.settings, &read.salt, &read.hash), made);
    }

    #[test]
    fn malformed_and_over_the_limits() {
        let rest = "c29tZXNhbHQ$4nDCgqqi/MYvPUrUq8ZfVUrFto43iXYW7ryycatUzoI";
        let with = |parameters: &str| parse(&format!("$scrypt${parameters}${rest}"), &LIMITS);
        assert!(with("ln=10,r=8,p=1").is_ok());
        for bad in [
            "",
            "ln=10,r=8",
            "ln=10,r=8,p=1,x=1",
            "r=8,ln=10,p=1",
            "ln=010,r=8,p=1",
            "ln=+10,r=8,p=1",
            "ln=,r=8,p=1",
            "ln=10,r=0,p=1",
            "ln=10,r=8,p=0",
            "ln=0,r=8,p=1",
            "ln=16,r=1,p=1",
            "ln=10,r=4294967295,p=1",
            "ln=1,r=268435456,p=16",
            "ln=999999999999,r=8,p=1",
            "ln=10, r=8,p=1",
            "N=1024,r=8,p=1",
        ] {
            assert_eq!(with(bad), Err(StoredError::Malformed), "{bad}");
        }
        for over in [
            "ln=21,r=2,p=1",
            "ln=64,r=8,p=1",
            "ln=10,r=8,p=17",
            "ln=10,r=1048576,p=1",
            "ln=1,r=1048576,p=16",
            "ln=18,r=9,p=1",
        ] {
            assert_eq!(with(over), Err(StoredError::Limit), "{over}");
        }
        for text in [
            "$scrypt$ln=10,r=8,p=1$c29tZXNhbHQ",
            "$scrypt$ln=10,r=8,p=1$$AAAA",
            "$scrypt$ln=10,r=8,p=1$c29tZXNhbHQ$AA",
            "$scrypt$ln=10,r=8,p=1$c29tZXNhbHQ=$4nDCgqqi/MYvPUrUq8ZfVUrFto43iXYW7ryycatUzoI",
        ] {
            assert_eq!(parse(text, &LIMITS), Err(StoredError::Malformed), "{text}");
        }
    }
}
