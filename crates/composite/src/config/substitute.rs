//! References to environment variables in the scalars of a configuration file:
//! <https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution>.

use std::borrow::Cow;

/// A reference that is not one: `${…}` with something else inside than a name and a default.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct InvalidReference;

/// Replaces each reference with the value of its variable, which is not looked at again.
///
/// > the `$` character is an escape sequence, such that `$$` in the input is translated to a single `$` in the output
pub(crate) fn substitute(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Cow<'_, str>, InvalidReference> {
    if !text.contains('$') {
        return Ok(text.into());
    }
    let mut output = String::with_capacity(text.len());
    for (number, section) in text.split("$$").enumerate() {
        if number > 0 {
            output.push('$');
        }
        references(section, &variable, &mut output)?;
    }
    Ok(output.into())
}

/// > SUBSTITUTION-REF = "${" [PREFIX ":"] GENERIC-SUBSTITUTION "}"
fn references(
    mut section: &str,
    variable: &impl Fn(&str) -> Option<String>,
    output: &mut String,
) -> Result<(), InvalidReference> {
    while let Some((before, rest)) = section.split_once("${") {
        let Some((content, after)) = rest.split_once('}').filter(|(content, _)| !content.is_empty()) else {
            output.push_str(before);
            output.push_str("${");
            section = rest;
            continue;
        };
        let (name, default) = env_substitution(content).ok_or(InvalidReference)?;
        output.push_str(before);
        let value = variable(name).filter(|value| !value.is_empty());
        output.push_str(value.as_deref().unwrap_or(default));
        section = after;
    }
    output.push_str(section);
    Ok(())
}

/// > ENV-SUBSTITUTION = ENV-NAME [":-" DEFAULT-VALUE]
fn env_substitution(content: &str) -> Option<(&str, &str)> {
    let content = content.strip_prefix("env:").unwrap_or(content);
    let (name, default) = content.split_once(":-").unwrap_or((content, ""));
    let begins = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
    let is_name = begins && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_default = default.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    (is_name && is_default).then_some((name, default))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<String> {
        let value = match name {
            "STRING_VALUE" => "value",
            "FLOAT_VALUE" => "1.1",
            "INVALID_MAP_VALUE" => "value\nkey:value",
            "DO_NOT_REPLACE_ME" => "Never use this value",
            "REPLACE_ME" => "${DO_NOT_REPLACE_ME}",
            "VALUE_WITH_ESCAPE" => "value$$",
            "EMPTY" => "",
            _ => return None,
        };
        Some(value.to_owned())
    }

    /// The rows of the specification's table, and what its grammar says beside them.
    #[test]
    fn the_table_of_the_specification() {
        let rows = [
            ("a reference", "${STRING_VALUE}", "value"),
            ("with its prefix", "${env:STRING_VALUE}", "value"),
            ("no structure", "${INVALID_MAP_VALUE}", "value\nkey:value"),
            ("several", "foo ${STRING_VALUE} ${FLOAT_VALUE}", "foo value 1.1"),
            ("undefined", "${UNDEFINED_KEY}", ""),
            ("undefined, with a default", "${UNDEFINED_KEY:-fallback}", "fallback"),
            ("empty, with a default", "${EMPTY:-fallback}", "fallback"),
            ("the prefix and a default", "${env:UNDEFINED_KEY:-fallback}", "fallback"),
            ("an empty default", "${UNDEFINED_KEY:-}", ""),
            ("a default with a colon", "${UNDEFINED_KEY:-http://a:1}", "http://a:1"),
            ("not recursive", "${REPLACE_ME}", "${DO_NOT_REPLACE_ME}"),
            ("a default is not recursive", "${UNDEFINED_KEY:-${STRING_VALUE}}", "${STRING_VALUE}"),
            ("escaped", "$${STRING_VALUE}", "${STRING_VALUE}"),
            ("escaped, then a reference", "$$${STRING_VALUE}", "$value"),
            ("escaped twice", "$$$${STRING_VALUE}", "$${STRING_VALUE}"),
            ("escaped, with a default", "$${STRING_VALUE:-fallback}", "${STRING_VALUE:-fallback}"),
            ("escaped, a reference in it", "$${STRING_VALUE:-${STRING_VALUE}}", "${STRING_VALUE:-value}"),
            (
                "an escape in a default",
                "${UNDEFINED_KEY:-$${UNDEFINED_KEY}}",
                "${UNDEFINED_KEY:-${UNDEFINED_KEY}}",
            ),
            ("a value is not unescaped", "${VALUE_WITH_ESCAPE}", "value$$"),
            ("an escape alone", "a $$ b", "a $ b"),
            ("a dollar sign alone", "a $ b", "a $ b"),
            ("nothing to replace", "a", "a"),
            ("nothing inside", "${}", "${}"),
            ("not closed", "${STRING_VALUE", "${STRING_VALUE"),
            ("the specification's walk", "$${FOO} ${STRING_VALUE} $${BAZ}", "${FOO} value ${BAZ}"),
        ];
        for (rule, text, expected) in rows {
            assert_eq!(substitute(text, variable).as_deref(), Ok(expected), "{rule}: {text}");
        }
        let invalid = [
            ("an error message", "${STRING_VALUE:?error}"),
            ("begins with a digit", "${1API_KEY}"),
            ("a dollar sign in the name", "${API_$KEY}"),
            ("another prefix", "${sys:otel.service.name}"),
            ("spaces", "${ STRING_VALUE }"),
            ("a line in the default", "${UNDEFINED_KEY:-a\nb}"),
            ("one of several", "${STRING_VALUE} ${1}"),
        ];
        for (rule, text) in invalid {
            assert_eq!(substitute(text, variable), Err(InvalidReference), "{rule}: {text}");
        }
    }
}
