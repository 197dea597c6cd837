//! Text with policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and the escapes `${*}`, `${?}`,
//! `${$}` (IAM user guide, "Variables and tags").
//!
//! What a variable brings in is literal: a `*` in a tag's value is a star, never a wildcard.

use crate::context::{Context, folded};
use crate::glob::Piece;

/// Text with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Fixed(Piece),
    Variable { key: String, default: Option<String> },
}

/// Whether `*` and `?` stand for other characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    /// They do.
    On,
    /// They are characters like any other.
    Off,
}

impl Template {
    /// Reads `text`; without `variables` a `${` is literal, as in version 2008-10-17. The error says what is wrong.
    pub(crate) fn parse(text: &str, wildcards: Wildcards, variables: bool) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(inside) = rest.strip_prefix("${").filter(|_| variables) {
                let (part, behind) = variable(inside)?;
                parts.push(part);
                rest = behind;
            } else {
                let piece = if wildcards == Wildcards::On { Piece::of(c) } else { Piece::Literal(c) };
                parts.push(Part::Fixed(piece));
                rest = &rest[c.len_utf8()..];
            }
        }
        Ok(Self(parts))
    }

    /// The pattern with every variable replaced, or `None` if one has no value: then nothing matches.
    pub(crate) fn expand(&self, context: &Context) -> Option<Vec<Piece>> {
        let mut pieces = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            match part {
                Part::Fixed(piece) => pieces.push(*piece),
                Part::Variable { key, default } => {
                    let value = context.single(key).or(default.as_deref())?;
                    pieces.extend(value.chars().map(Piece::Literal));
                }
            }
        }
        Some(pieces)
    }

    /// True if the text is one variable and nothing else.
    pub(crate) fn is_one_variable(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Variable { .. }])
    }

    /// Cuts at the first `count - 1` colons that the text itself has, not those that variables bring in.
    pub(crate) fn split_at_colons(&self, count: usize) -> Vec<Template> {
        let colon = |part: &Part| *part == Part::Fixed(Piece::Literal(':'));
        self.0.splitn(count, colon).map(|parts| Template(parts.to_vec())).collect()
    }

    /// True if the text is `literal`.
    pub(crate) fn is(&self, literal: &str) -> bool {
        let literal: Vec<Part> = literal.chars().map(|c| Part::Fixed(Piece::Literal(c))).collect();
        self.0 == literal
    }
}

/// The variable whose inside `text` begins with, and what follows its closing brace.
fn variable(text: &str) -> Result<(Part, &str), &'static str> {
    for escaped in ['*', '?', '$'] {
        if let Some(behind) = text.strip_prefix(escaped).and_then(|behind| behind.strip_prefix('}')) {
            return Ok((Part::Fixed(Piece::Literal(escaped)), behind));
        }
    }
    let end = text.find([',', '}']).ok_or("a variable has no closing brace")?;
    let (key, behind) = text.split_at(end);
    if !is_key(key) || key.contains([' ', '$', '{', '\'']) {
        return Err("a variable must be a condition key, as in ${aws:username}, or one of ${*}, ${?}, ${$}");
    }
    let key = folded(key);
    if let Some(behind) = behind.strip_prefix('}') {
        return Ok((Part::Variable { key, default: None }, behind));
    }
    let (default, behind) = default_value(&behind[1..]).ok_or(DEFAULT_FORM)?;
    Ok((Part::Variable { key, default: Some(default) }, behind))
}

/// The text between single quotes, and what follows the brace behind it.
fn default_value(text: &str) -> Option<(String, &str)> {
    let (default, behind) = text.trim_start_matches(' ').strip_prefix('\'')?.split_once('\'')?;
    let behind = behind.trim_start_matches(' ').strip_prefix('}')?;
    Some((default.to_owned(), behind))
}

/// True for `prefix:name`, the form of every condition key. A key is named, and never a pattern.
pub(crate) fn is_key(text: &str) -> bool {
    text.split_once(':').is_some_and(|(prefix, name)| !prefix.is_empty() && !name.is_empty())
        && !text.chars().any(|c| c.is_control() || c == '*' || c == '?')
        && !text.starts_with(' ')
        && !text.ends_with(' ')
}

const DEFAULT_FORM: &str = "a variable's default stands in single quotes: ${aws:PrincipalTag/team, 'none'}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glob::matches;

    fn context() -> Context {
        Context::default().with("aws:username", "al*ce").with("aws:TagKeys", "a").with("aws:TagKeys", "b")
    }

    fn covers(template: &str, text: &str) -> bool {
        let template = Template::parse(template, Wildcards::On, true).unwrap();
        template.expand(&context()).is_some_and(|pattern| matches(&pattern, text))
    }

    #[test]
    fn a_variable_brings_in_literal_text() {
        assert!(covers("home/${aws:username}/*", "home/al*ce/x"));
        assert!(covers("home/${AWS:UserName}/*", "home/al*ce/x"), "keys are case-insensitive");
        assert!(!covers("home/${aws:username}/*", "home/alice/x"), "its star is no wildcard");
    }

    #[test]
    fn a_variable_without_one_value_matches_nothing_and_a_default_stands_in() {
        assert!(!covers("*${aws:userid}", ""));
        assert!(!covers("*${aws:userid}*", "anything"));
        assert!(!covers("${aws:TagKeys}", "a"), "a key with several values is no variable");
        assert!(covers("t-${aws:PrincipalTag/team, 'company wide'}", "t-company wide"));
        assert!(covers("t-${aws:PrincipalTag/team,'a}:*'}-${aws:username, 'x'}", "t-a}:*-al*ce"));
        assert!(!covers("t-${aws:PrincipalTag/team,'*'}", "t-x"), "a default is literal too");
    }

    #[test]
    fn escapes_stand_for_the_character_itself() {
        assert!(covers("${*}${?}${$}{a}$", "*?${a}$"));
        assert!(!covers("${*}", "a"));
        assert!(!covers("${?}", "a"));
    }

    #[test]
    fn without_variables_the_text_is_literal() {
        let template = Template::parse("${aws:username}*", Wildcards::On, false).unwrap();
        assert!(matches(&template.expand(&context()).unwrap(), "${aws:username}x"));
    }

    #[test]
    fn malformed_variables_are_refused() {
        for text in [
            "${",
            "${}",
            "${aws:username",
            "${username}",
            "${aws:}",
            "${ aws:username}",
            "${aws:user name}",
            "${aws:username, none}",
            "${aws:username, 'none}",
            "${aws:username, 'a' 'b'}",
            "${aws:${aws:userid}}",
            "${**}",
            "${aws:user*}",
        ] {
            assert!(Template::parse(text, Wildcards::On, true).is_err(), "{text}");
        }
    }
}
