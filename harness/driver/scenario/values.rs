//! One value of the tree, read as what its key takes.

use super::keys::{Key, Kind};
use super::node::{Node, Value, quoted};
use super::quantity::{self, Misread, show_duration, show_size};
use super::suggest::did_you_mean;
use std::time::Duration;

/// Why a value is not what its key takes.
#[derive(Debug)]
pub(super) struct Complaint {
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

/// A source has one piece more than offsets: as many as `iovecs` can ask for.
pub(super) const MOST_OFFSETS: usize = 15;

/// What reading one value gives.
pub(super) type Taken<T> = Result<T, Complaint>;

/// A name that can be part of a file's name.
pub(super) fn name(node: &Node, key: &Key) -> Taken<String> {
    const LONGEST: usize = 64;
    let text = prose(node, key)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let message = if text.is_empty() {
        format!("`{}` is empty", key.name)
    } else if let Some(bad) = text.chars().find(|c| !fits(*c)) {
        format!("`{}` cannot contain `{}`", key.name, bad.escape_debug())
    } else if text.starts_with(['.', '-']) {
        format!("`{}` cannot begin with `{}`", key.name, &text[..1])
    } else if LONGEST < text.len() {
        format!("`{}` is longer than {LONGEST} characters", key.name)
    } else {
        return Ok(text);
    };
    Err(Complaint { message, help: "use letters, digits, `.`, `_` and `-`".to_owned() })
}

/// Any text.
pub(super) fn prose(node: &Node, key: &Key) -> Taken<String> {
    match &node.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Integer(_) | Value::Float(_) | Value::Bool(_) => Err(Complaint {
            message: format!("`{}` is text, and this is {}", key.name, node.kind()),
            help: format!("put it in quotes: \"{}\"", node.word()),
        }),
        Value::Null | Value::List(_) | Value::Mapping(_) | Value::Tagged(_) => {
            Err(wrong_type(node, key, "text", "write one line of text"))
        }
    }
}

/// One of some words.
pub(super) fn word(node: &Node, key: &Key, words: &[&str]) -> Taken<String> {
    let found = node.word();
    if matches!(node.value, Value::List(_) | Value::Mapping(_) | Value::Tagged(_)) {
        let help = did_you_mean("", words);
        return Err(wrong_type(node, key, "one word", &help));
    }
    if words.contains(&found.as_str()) {
        return Ok(found);
    }
    Err(Complaint {
        message: format!("`{}` cannot be {}", key.name, quoted(&found)),
        help: did_you_mean(&found, words),
    })
}

/// A whole number.
pub(super) fn number(node: &Node, key: &Key) -> Taken<u64> {
    let Kind::Number { min, max } = key.kind else { unreachable!("the key takes a number") };
    let range = format!("a whole number from {min} to {max}");
    let found = match &node.value {
        Value::Integer(value) => *value,
        Value::Text(_) | Value::Float(_) => return Err(not_a_number(node, key, &range)),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Mapping(_) | Value::Tagged(_) => {
            return Err(wrong_type(node, key, "a number", &format!("write {range}")));
        }
    };
    let fits = u64::try_from(found).ok().filter(|value| (min..=max).contains(value));
    fits.ok_or_else(|| Complaint {
        message: format!("`{}` cannot be {found}", key.name),
        help: format!("write {range}"),
    })
}

/// Any number of 64 bits, also as text in hexadecimal.
pub(super) fn seed(node: &Node, key: &Key) -> Taken<u64> {
    let help = "write a number from 0 to 18446744073709551615, or `0x` and up to 16 hexadecimal \
                digits";
    let value = match &node.value {
        Value::Integer(value) => u64::try_from(*value).ok(),
        Value::Text(text) => text.strip_prefix("0x").and_then(hexadecimal),
        Value::Float(_) => None,
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Mapping(_) | Value::Tagged(_) => {
            return Err(wrong_type(node, key, "a number", help));
        }
    };
    value.ok_or_else(|| Complaint {
        message: format!("`{}` cannot be {}", key.name, quoted(&node.word())),
        help: help.to_owned(),
    })
}

/// Bytes.
pub(super) fn size(node: &Node, key: &Key) -> Taken<u64> {
    let Kind::Size { min, max, power_of_two } = key.kind else {
        unreachable!("the key takes a size")
    };
    let what = if power_of_two { "a power of two" } else { "a size" };
    let range = format!("{what} from {} to {}", show_size(min), show_size(max));
    let bytes = quantity(node, key, "a size", &range, quantity::size)?;
    let complaint = |why: &str, help: String| Complaint {
        message: format!("`{}` cannot be {}: {why}", key.name, quoted(&node.word())),
        help,
    };
    if bytes < min {
        return Err(complaint("that is too small", format!("write {range}")));
    }
    if max < bytes {
        return Err(complaint("that is too large", format!("write {range}")));
    }
    if power_of_two && !bytes.is_power_of_two() {
        let above = bytes.next_power_of_two();
        let near = format!("the nearest are {} and {}", show_size(above / 2), show_size(above));
        return Err(complaint("that is no power of two", near));
    }
    Ok(bytes)
}

/// A time.
pub(super) fn duration(node: &Node, key: &Key) -> Taken<Duration> {
    let Kind::Duration { hours } = key.kind else { unreachable!("the key takes a time") };
    let most = Duration::from_secs(hours * 3600);
    let range = format!("a time like 200us, 5ms, 10s or 5m, up to {}", show_duration(most));
    let time = quantity(node, key, "a time", &range, quantity::duration)?;
    if most < time {
        return Err(Complaint {
            message: format!("`{}` cannot be {}: that is too long", key.name, quoted(&node.word())),
            help: format!("write {range}"),
        });
    }
    Ok(time)
}

/// Operations per second: `2000/s`, or the number alone.
pub(super) fn rate(node: &Node, key: &Key) -> Taken<u64> {
    let Kind::Rate { max } = key.kind else { unreachable!("the key takes a rate") };
    let help = format!("write operations per second, from `1/s` to `{max}/s`");
    let found = match &node.value {
        Value::Integer(value) => u64::try_from(*value).ok(),
        Value::Text(text) => text.strip_suffix("/s").and_then(|number| number.parse().ok()),
        Value::Float(_) => None,
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Mapping(_) | Value::Tagged(_) => {
            return Err(wrong_type(node, key, "a rate", &help));
        }
    };
    found.filter(|rate| (1..=max).contains(rate)).ok_or_else(|| Complaint {
        message: format!("`{}` cannot be {}", key.name, quoted(&node.word())),
        help,
    })
}

/// A chance in parts per million.
pub(super) fn chance(node: &Node, key: &Key) -> Taken<u32> {
    let range = "a chance like 5% or 0.1%, or a number from 0 to 1";
    quantity(node, key, "a chance", range, quantity::chance)
}

/// `true` or `false`.
pub(super) fn flag(node: &Node, key: &Key) -> Taken<bool> {
    let Value::Bool(value) = node.value else {
        return Err(wrong_type(node, key, "`true` or `false`", "write one of the two"));
    };
    Ok(value)
}

/// A list of offsets in bytes.
pub(super) fn offsets(node: &Node, key: &Key) -> Taken<Vec<u64>> {
    let help = "write a list like `[512, 4KiB]`";
    let Value::List(items) = &node.value else {
        return Err(wrong_type(node, key, "a list of offsets", help));
    };
    if items.is_empty() || MOST_OFFSETS < items.len() {
        let message = format!("`{}` has {} items", key.name, items.len());
        return Err(Complaint { message, help: format!("1 to {MOST_OFFSETS} can stand there") });
    }
    let kind = Kind::Size { min: 0, max: u64::MAX, power_of_two: false };
    let key = Key { kind, ..*key };
    items.iter().map(|item| size(item, &key)).collect()
}

/// A value of the wrong type altogether.
pub(super) fn wrong_type(node: &Node, key: &Key, wanted: &str, help: &str) -> Complaint {
    Complaint {
        message: format!("`{}` is {wanted}, and this is {}", key.name, node.kind()),
        help: help.to_owned(),
    }
}

fn hexadecimal(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| plain)
}

fn not_a_number(node: &Node, key: &Key, range: &str) -> Complaint {
    let found = node.word();
    let digits: String = found.chars().filter(|c| !matches!(c, '_' | ',' | ' ')).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let help = if is_number { format!("write {digits}") } else { format!("write {range}") };
    Complaint { message: format!("`{}` cannot be {}", key.name, quoted(&found)), help }
}

fn quantity<T>(
    node: &Node,
    key: &Key,
    wanted: &str,
    range: &str,
    parse: fn(&str) -> Result<T, Misread>,
) -> Taken<T> {
    if !matches!(node.value, Value::Text(_) | Value::Integer(_) | Value::Float(_)) {
        return Err(wrong_type(node, key, wanted, &format!("write {range}")));
    }
    let found = node.word();
    parse(&found).map_err(|misread| Complaint {
        message: format!("`{}` cannot be {}: {}", key.name, quoted(&found), misread.why),
        help: match misread.instead {
            Some(instead) => format!("did you mean `{instead}`?"),
            None => format!("write {range}"),
        },
    })
}
