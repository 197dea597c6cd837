//! The names of the condition operators (IAM user guide, "Condition operators").

use crate::error::quoted;

/// A condition operator, taken apart: `ForAnyValue:StringNotEqualsIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) set: SetOperator,
    pub(crate) family: Family,
    /// The operator is true where its positive twin is not.
    pub(crate) negated: bool,
    /// A key that is not there fulfils the condition.
    pub(crate) if_exists: bool,
}

/// How the values of a request are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetOperator {
    None,
    ForAllValues,
    ForAnyValue,
}

/// How one value of a request is compared with one of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Text,
    TextIgnoringCase,
    TextPattern,
    Number(Relation),
    Date(Relation),
    Bool,
    Binary,
    IpAddress,
    Arn,
    Null,
}

/// How two values that have an order must stand to each other, the request's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(crate) fn holds<T: Ord>(self, value: &T, limit: &T) -> bool {
        match self {
            Self::Equal => value == limit,
            Self::Less => value < limit,
            Self::LessOrEqual => value <= limit,
            Self::Greater => value > limit,
            Self::GreaterOrEqual => value >= limit,
        }
    }
}

impl Operator {
    /// Reads an operator's name, which is case-sensitive. The error says what is wrong with it.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let (set, rest) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (SetOperator::ForAllValues, rest),
            Some(("ForAnyValue", rest)) => (SetOperator::ForAnyValue, rest),
            _ => (SetOperator::None, name),
        };
        let (base, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |base| (base, true));
        let (_, family, negated) =
            *OPERATORS.iter().find(|(known, ..)| *known == base).ok_or_else(|| unknown(name))?;
        if family == Family::Null && (if_exists || set != SetOperator::None) {
            // With IfExists it contradicts itself; under a set operator it would always be true, or never.
            return Err("Null has no IfExists and no set operator; write Null".to_owned());
        }
        Ok(Self { set, family, negated, if_exists })
    }
}

fn unknown(name: &str) -> String {
    let similar = OPERATORS.iter().find(|(known, ..)| {
        let rest = name.rsplit(':').next().unwrap_or(name);
        rest.get(..known.len()).is_some_and(|head| head.eq_ignore_ascii_case(known)) && *known != "Bool"
    });
    let advice = similar.map_or(String::new(), |(known, ..)| format!("; did you mean {known}?"));
    format!("{} is no condition operator{advice}", quoted(name))
}

/// Each operator: its name, how it compares, and whether it is negated.
const OPERATORS: &[(&str, Family, bool)] = &[
    ("StringEqualsIgnoreCase", Family::TextIgnoringCase, false),
    ("StringNotEqualsIgnoreCase", Family::TextIgnoringCase, true),
    ("StringEquals", Family::Text, false),
    ("StringNotEquals", Family::Text, true),
    ("StringLike", Family::TextPattern, false),
    ("StringNotLike", Family::TextPattern, true),
    ("NumericEquals", Family::Number(Relation::Equal), false),
    ("NumericNotEquals", Family::Number(Relation::Equal), true),
    ("NumericLessThanEquals", Family::Number(Relation::LessOrEqual), false),
    ("NumericLessThan", Family::Number(Relation::Less), false),
    ("NumericGreaterThanEquals", Family::Number(Relation::GreaterOrEqual), false),
    ("NumericGreaterThan", Family::Number(Relation::Greater), false),
    ("DateEquals", Family::Date(Relation::Equal), false),
    ("DateNotEquals", Family::Date(Relation::Equal), true),
    ("DateLessThanEquals", Family::Date(Relation::LessOrEqual), false),
    ("DateLessThan", Family::Date(Relation::Less), false),
    ("DateGreaterThanEquals", Family::Date(Relation::GreaterOrEqual), false),
    ("DateGreaterThan", Family::Date(Relation::Greater), false),
    ("Bool", Family::Bool, false),
    ("BinaryEquals", Family::Binary, false),
    ("IpAddress", Family::IpAddress, false),
    ("NotIpAddress", Family::IpAddress, true),
    // AWS: ArnEquals and ArnLike behave identically.
    ("ArnEquals", Family::Arn, false),
    ("ArnNotEquals", Family::Arn, true),
    ("ArnLike", Family::Arn, false),
    ("ArnNotLike", Family::Arn, true),
    ("Null", Family::Null, false),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_has_its_forms_and_null_has_one() {
        for (name, family, negated) in OPERATORS {
            let parsed = Operator::parse(name).unwrap();
            assert_eq!((parsed.family, parsed.negated), (*family, *negated));
            for form in [
                format!("{name}IfExists"),
                format!("ForAllValues:{name}"),
                format!("ForAnyValue:{name}IfExists"),
            ] {
                assert_eq!(Operator::parse(&form).is_ok(), *name != "Null", "{form}");
            }
        }
    }

    #[test]
    fn near_misses_are_unknown() {
        for name in [
            "",
            "IfExists",
            "stringequals",
            "StringLikes",
            "StringEqual",
            "ForAllValues:",
            "ForEachValue:StringLike",
            "forAnyValue:StringLike",
            "StringLikeIfExistsIfExists",
            "ForAnyValue:ForAnyValue:StringLike",
            "StringLike ",
            "ArnGreaterThan",
            "BoolNot",
            "Strïng",
        ] {
            assert!(Operator::parse(name).is_err(), "{name}");
        }
        assert_eq!(
            Operator::parse("StringLikes").unwrap_err(),
            "\"StringLikes\" is no condition operator; did you mean StringLike?"
        );
    }
}
