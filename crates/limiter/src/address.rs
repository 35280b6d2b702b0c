//! Addresses as keys: what belongs to one client is one key.
//!
//! A client on IPv6 has a whole prefix to choose addresses from, so that they are taken together; an IPv4 address that comes as
//! IPv6, as it does to a socket that listens for both, is the IPv4 address.

use std::fmt::{self, Write};
use std::net::Ipv6Addr;
use std::str::FromStr;

/// The longest text of a group: of eight words and a prefix.
const MAX_GROUP: usize = 43;

/// The longest text of an address, with an IPv4 address in it and its zone.
const LONGEST: usize = 45 + 1 + 32;

/// What stands for an address.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    text: [u8; MAX_GROUP],
    length: usize,
}

impl Group {
    /// As text: `203.0.113.7`, `2001:db8:1200::/56`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

/// The group of an IPv6 address, in the prefix of so many bits. Nothing for any other text, an IPv4 address among them: that
/// stands for itself. Text has a byte for each character, up to U+00FF.
#[inline]
#[must_use]
pub fn group(text: &[u8], prefix: u32) -> Option<Group> {
    // Most keys are told apart here: an address has its first colon behind at most four digits.
    if text.len() > LONGEST || !text[..text.len().min(5)].contains(&b':') {
        return None;
    }
    group_of_address(text, prefix)
}

fn group_of_address(text: &[u8], prefix: u32) -> Option<Group> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii())?;
    // A zone names an interface of this machine, not the client: `fe80::1%eth0`.
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    let address = Ipv6Addr::from_str(address).ok()?;
    let mut group = Group { text: [0; MAX_GROUP], length: 0 };
    match address.to_ipv4_mapped() {
        Some(address) => write(&mut group, address),
        None => write(&mut group, InPrefix(address, prefix.min(128))),
    }
    .ok()?;
    Some(group)
}

struct InPrefix(Ipv6Addr, u32);

impl fmt::Display for InPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InPrefix(address, prefix) = *self;
        let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
        write!(formatter, "{}/{prefix}", Ipv6Addr::from_bits(address.to_bits() & mask))
    }
}

fn write(group: &mut Group, text: impl fmt::Display) -> fmt::Result {
    write!(group, "{text}")
}

impl Write for Group {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.text.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
