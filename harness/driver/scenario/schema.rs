//! The JSON Schema of a scenario, for editors: completion, hover texts and first errors.

use super::actors::HEAVIEST;
use super::format::SCENARIO;
use super::keys::{Described, Fallback, Key, Kind, Shape, Variant};
use super::quantity::show_size;
use super::values::MOST_OFFSETS;
use crate::catalogue;
use serde_json::{Map, Value, json};
use stormfs::op::OpKind;

/// The schema, draft 2020-12. It is derived from the tables by which scenarios are read; what
/// depends on more than one key is left to the reader.
pub fn json_schema() -> Value {
    let mut schema = mapping(&SCENARIO);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("A Pagestorm scenario");
    schema
}

fn mapping(shape: &Shape) -> Value {
    let keys = shape.all();
    let required: Vec<_> = keys
        .iter()
        .filter(|key| matches!(key.default, Fallback::Required))
        .map(|key| key.name)
        .collect();
    let properties: Map<_, _> =
        keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = of_kind(key.kind);
    let about = match key.default {
        Fallback::Required | Fallback::Text(_) => key.about.to_owned(),
        Fallback::Rule(rule) => format!("{} Default: {rule}.", key.about),
    };
    schema["description"] = json!(about);
    if let Fallback::Text(text) = key.default {
        schema["default"] = match (text.parse::<u64>(), text.parse::<bool>()) {
            (Ok(number), _) => json!(number),
            (_, Ok(flag)) => json!(flag),
            _ => json!(text),
        };
    }
    schema
}

/// Every bug, with what it is.
fn bugs() -> Vec<Described> {
    catalogue::all().map(|bug| (bug.id, bug.what)).collect()
}

fn of_kind(kind: Kind) -> Value {
    match kind {
        Kind::Name => json!({
            "type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9._-]*$", "maxLength": 64,
        }),
        Kind::Prose | Kind::Invariant => json!({ "type": "string" }),
        Kind::Bug => words(&bugs()),
        Kind::Words(_) | Kind::Point | Kind::Preset => words(&kind.words()),
        Kind::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Seed => json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": u64::MAX },
            { "type": "string", "pattern": "^0x[0-9a-fA-F]{1,16}$" },
        ]}),
        Kind::Size { min, max, power_of_two } => size(min, max, power_of_two),
        Kind::Duration { .. } => json!({ "anyOf": [
            { "type": "string", "pattern": "^[0-9]+(ns|us|ms|s|m|h)$" },
            { "const": 0 },
        ]}),
        Kind::Chance => json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": "^[0-9]+([.][0-9]+)?%$" },
        ]}),
        Kind::Rate { max } => json!({ "anyOf": [
            { "type": "string", "pattern": "^[1-9][0-9]*/s$" },
            { "type": "integer", "minimum": 1, "maximum": max },
        ]}),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Offsets => json!({
            "type": "array", "items": size(0, u64::MAX, false), "minItems": 1,
            "maxItems": MOST_OFFSETS,
        }),
        Kind::Mapping(shape) => mapping(shape),
        Kind::List { of, min, max } => json!({
            "type": "array", "items": mapping(of), "minItems": min, "maxItems": max,
        }),
        Kind::Variants { of, max, .. } => json!({
            "type": "array", "items": { "oneOf": variants(of) }, "maxItems": max,
        }),
        Kind::Either { words, variants: of } => {
            let mut forms = constants(words);
            forms.extend(variants(of));
            json!({ "oneOf": forms })
        }
        Kind::Weights => weights(),
        Kind::Sentences { pattern, min, max, .. } => json!({
            "type": "array", "minItems": min, "maxItems": max,
            "items": { "type": "string", "pattern": pattern },
        }),
        Kind::Vary => json!({
            "type": "object",
            "additionalProperties": { "type": "array", "minItems": 1 },
            "properties": { "skip": {
                "type": "array", "items": { "type": "object", "minProperties": 1 },
                "description": "Combinations that are left out: mappings from paths to values.",
            }},
        }),
        Kind::Bugs => json!({
            "type": "array", "items": words(&bugs()), "uniqueItems": true,
        }),
    }
}

fn size(min: u64, max: u64, power_of_two: bool) -> Value {
    if power_of_two {
        let powers = (0..u64::BITS).map(|shift| 1_u64 << shift);
        let powers: Vec<_> = powers.filter(|size| (min..=max).contains(size)).collect();
        let shown: Vec<_> = powers.iter().map(|size| json!(show_size(*size))).collect();
        let plain = powers.iter().map(|size| json!(size));
        return json!({ "enum": shown.into_iter().chain(plain).collect::<Vec<_>>() });
    }
    json!({ "anyOf": [
        { "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB|TiB)?$" },
        { "type": "integer", "minimum": min, "maximum": max },
    ]})
}

fn words(described: &[Described]) -> Value {
    json!({ "oneOf": constants(described) })
}

fn constants(described: &[Described]) -> Vec<Value> {
    described.iter().map(|(word, about)| json!({ "const": word, "description": about })).collect()
}

fn variants(of: &[Variant]) -> Vec<Value> {
    let variant = |variant: &Variant| {
        let mut body = mapping(&variant.shape);
        body["description"] = json!(variant.about);
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": [variant.name],
            "properties": { variant.name: body },
        })
    };
    let mappings = of.iter().map(variant);
    let words = of.iter().filter(|variant| variant.needs_no_key());
    let words = words.map(|one| json!({ "const": one.name, "description": one.about }));
    mappings.chain(words).collect()
}

fn weights() -> Value {
    let weight = |kind: &OpKind| {
        let schema = json!({
            "type": "integer", "minimum": 1, "maximum": HEAVIEST, "description": kind.about(),
        });
        (kind.name().to_owned(), schema)
    };
    let properties: Map<_, _> = OpKind::ALL.iter().map(weight).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_beside_the_scenarios_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/schema.json");
        let schema = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        let stored = std::fs::read_to_string(path).unwrap_or_default();
        assert!(stored == schema, "scenarios/schema.json is old: run the tests with UPDATE=1");
    }

    #[test]
    fn every_key_is_described() {
        fn check(name: &str, schema: &Value) {
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
                return;
            };
            for (key, value) in properties {
                let about = value["description"].as_str().unwrap_or("");
                assert!(!about.is_empty(), "{name}.{key} has no description");
                check(key, value);
                check(key, &value["items"]);
                for form in value["items"]["oneOf"].as_array().into_iter().flatten() {
                    check(key, form);
                }
            }
        }
        check("scenario", &json_schema());
    }
}
