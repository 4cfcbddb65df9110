//! Names of files for texts that may say anything.

/// Characters of a name at most: with what stands before and behind it, every filesystem takes it.
const LONGEST: usize = 160;

/// A text as the name of a file: letters, digits, `_` and single `-`. Of one that is too long the
/// beginning, and a hash of all of it, so that long texts with one beginning have names of their own.
pub fn name(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = text.chars().map(fit).collect();
    let parts: Vec<_> = name.split('-').filter(|part| !part.is_empty()).collect();
    let name = parts.join("-");
    if name.is_empty() {
        return "_".to_owned();
    }
    if name.len() <= LONGEST {
        return name;
    }
    let hash = format!("-{:016x}", hash(text));
    // It is ASCII, so it may be cut anywhere.
    name[..LONGEST - hash.len()].to_owned() + &hash
}

/// A hash of a text: FNV-1a. Equal on every machine and in every version.
pub fn hash(text: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn every_text_has_a_name_that_fits() {
        let long = "x".repeat(200);
        let table = [
            ("size_matches_model-write", "size_matches_model-write"),
            ("data: not what was written (byte 3)", "data-not-what-was-written-byte-3"),
            ("../../etc/passwd\u{202e}", "etc-passwd"),
            ("///", "_"),
            ("", "_"),
        ];
        for (text, wanted) in table {
            assert_eq!(name(text), wanted, "{text}");
        }
        assert_eq!(name(&long).len(), 160);
        assert_eq!(name(&name(&long)), name(&long), "a name has itself for a name");
        assert_ne!(name(&long), name(&format!("{long}y")));
    }
}
