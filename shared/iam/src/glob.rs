//! Patterns with `*` and `?`.

use std::str::Chars;

/// One piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// This character itself.
    Literal(char),
    /// Any one character: `?`.
    AnyOne,
    /// Any characters, also none: `*`.
    AnyRun,
}

impl Piece {
    /// The piece that a character of a pattern stands for.
    pub(crate) fn of(c: char) -> Self {
        match c {
            '*' => Self::AnyRun,
            '?' => Self::AnyOne,
            other => Self::Literal(other),
        }
    }

    fn admits(self, c: char) -> bool {
        match self {
            Self::Literal(literal) => literal == c,
            Self::AnyOne => true,
            Self::AnyRun => false,
        }
    }
}

/// True if `pattern` covers `text` from its first character to its last.
///
/// Only the latest `*` is ever tried again: whatever an earlier one could take, the latest can take too. So the time is
/// at worst the product of the two lengths, never exponential in the number of stars.
pub(crate) fn matches(pattern: &[Piece], text: &str) -> bool {
    let (mut text, mut at) = (text.chars(), 0);
    let mut retry: Option<(Chars<'_>, usize)> = None;
    loop {
        let mut ahead = text.clone();
        match (pattern.get(at), ahead.next()) {
            (None, None) => return true,
            (Some(Piece::AnyRun), _) => {
                at += 1;
                retry = Some((text.clone(), at));
            }
            (Some(piece), Some(c)) if piece.admits(c) => {
                at += 1;
                text = ahead;
            }
            _ => {
                let Some((taken, resume)) = retry.as_mut() else { return false };
                if taken.next().is_none() {
                    return false;
                }
                (text, at) = (taken.clone(), *resume);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn pieces(pattern: &str) -> Vec<Piece> {
        pattern.chars().map(Piece::of).collect()
    }

    /// The definition itself, exponential in the number of stars.
    fn naive(pattern: &[Piece], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((Piece::AnyRun, rest)) => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
            Some((piece, rest)) => {
                text.split_first().is_some_and(|(c, text)| piece.admits(*c) && naive(rest, text))
            }
        }
    }

    #[test]
    fn a_star_takes_any_run_and_a_question_mark_one_character() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("?", "ü", true),
            ("??", "ü", false),
            ("a*c", "ac", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*b*", "abc", true),
            ("a?c*", "abcdef", true),
            ("A", "a", false),
        ] {
            assert_eq!(matches(&pieces(pattern), text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_do_not_explode() {
        let (pattern, text) = ("*a".repeat(500) + "b", "a".repeat(5_000));
        let start = Instant::now();
        assert!(!matches(&pieces(&pattern), &text));
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_glob_equals_the_naive_reference(pattern in "[ab*?]{0,10}", text in "[abü]{0,12}") {
            let pattern = pieces(&pattern);
            prop_assert_eq!(matches(&pattern, &text), naive(&pattern, &text.chars().collect::<Vec<_>>()));
        }
    }
}
