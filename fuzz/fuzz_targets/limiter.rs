//! Whatever is done to a small table, no key is allowed more than if each had a cell of its own; and addresses are read without
//! a panic, into groups that stand for themselves.
#![no_main]

use std::collections::HashMap;

use holdfast_limiter::{Answer, Limiter, Rate, group};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, u8, u8, Vec<(u8, u16, u8, u16)>, Vec<u8>)| {
    let (limit, burst, keys, events, text) = input;
    if let Some(address) = group(&text, u32::from(burst) % 129) {
        assert!(group(address.as_bytes(), 56).is_none(), "a group is not an address");
    }
    let Some(rate) = Rate::new(limit.into(), 1000, burst.into()) else { return };
    let mut limiter = Limiter::new(rate, keys.into(), &[burst; 32]);
    // Until when each key is in use, in units, if all that was allowed counts.
    let mut untils: HashMap<u16, u64> = HashMap::new();
    let mut now = 0_u64;
    for (kind, name, cost, pause) in events {
        now += u64::from(pause) / 64;
        let units = now * rate.per_microsecond();
        let key = limiter.key(&name.to_le_bytes());
        let until = untils.entry(name).or_insert(0);
        let level = until.saturating_sub(units);
        let price = u64::from(cost) * rate.interval();
        match kind % 8 {
            0 => {
                limiter.refund(key, cost.into(), now);
                *until = units + level.saturating_sub(price);
            }
            1 => {
                limiter.reset(key, now);
                *until = 0;
            }
            2 => {
                limiter.raise(key, price, now);
                *until = units + level.max(price.min(rate.capacity()));
            }
            _ => match limiter.consume(key, cost.into(), now) {
                Answer::Taken(after) => {
                    assert!(level + price <= rate.capacity(), "allowed more than its limit");
                    assert!(after >= level + price);
                    *until = units + level + price;
                }
                Answer::Refused(seen) => assert!(seen >= level),
            },
        }
        assert!(limiter.peek(key, now) >= untils[&name].saturating_sub(units));
    }
});
