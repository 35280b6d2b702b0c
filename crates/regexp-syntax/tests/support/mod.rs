//! Data about characters for the tests, from the tables of regex-syntax and of Rust, in place of V8's.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::Characters;

/// Gives `characters` what they lack of `names`.
pub(crate) fn provide(characters: &mut Characters, names: &[String]) {
    for name in names {
        match name.as_str() {
            Characters::UPPER_CASE => characters.provide_upper_case(&upper_case()),
            Characters::SIMPLE_FOLDING => characters.provide_simple_folding(&SIMPLE_FOLDING),
            "Emoji_Keycap_Sequence" => characters.provide_property(name, &[], keycaps()),
            _ => characters.provide_property(name, &ranges_of(name), Vec::new()),
        }
    }
}

fn keycaps() -> Vec<Vec<u32>> {
    "#*0123456789".chars().map(|key| vec![u32::from(key), 0xFE0F, 0x20E3]).collect()
}

/// With `i` and `v`, the name comes with its letter and braces.
fn ranges_of(name: &str) -> Vec<(u32, u32)> {
    if !name.ends_with('}') {
        return property(&format!(r"\p{{{name}}}"));
    }
    let folded = property(&format!(r"(?i)\p{}", &name[1..]));
    if name.starts_with('p') {
        return folded;
    }
    let starts = std::iter::once(0).chain(folded.iter().map(|&(_, high)| high + 1));
    let ends = folded.iter().map(|&(low, _)| low).chain([0x11_0000]);
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| (start, end - 1)).collect()
}

fn property(class: &str) -> Vec<(u32, u32)> {
    let hir = regex_syntax::parse(class).expect("a property that regex-syntax knows");
    let HirKind::Class(Class::Unicode(class)) = hir.kind() else { panic!("{class} has one member or none") };
    class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
}

/// ECMA-262, §22.2.2.7.3, without `u`.
fn upper_case() -> Vec<(u32, u32)> {
    let pairs = ('\u{80}'..='\u{FFFF}').filter_map(|character| {
        let mut upper = character.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(upper), None) if upper > '\u{7F}' && upper <= '\u{FFFF}' && upper != character => {
                Some((character.into(), upper.into()))
            }
            _ => None,
        }
    });
    pairs.chain(('a'..='z').map(|letter| (letter.into(), letter.to_ascii_uppercase().into()))).collect()
}

static SIMPLE_FOLDING: LazyLock<Vec<(u32, u32)>> = LazyLock::new(|| {
    let mut pairs = Vec::new();
    for character in '\0'..=char::MAX {
        let mut class = ClassUnicode::new([ClassUnicodeRange::new(character, character)]);
        class.case_fold_simple();
        for range in class.ranges() {
            let others = (range.start()..=range.end()).filter(|&other| other > character);
            pairs.extend(others.map(|other| (character.into(), other.into())));
        }
    }
    pairs
});
