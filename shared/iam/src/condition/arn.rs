//! ARNs in conditions: six segments, each compared on its own (IAM user guide, "ARN condition operators").

use crate::context::Context;
use crate::glob::matches;
use crate::template::Template;

/// The pattern of an ARN. A `*` never crosses the colon of a segment, apart from those in the last, the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    /// Six templates.
    Segments(Vec<Template>),
    /// A variable that brings in the whole ARN.
    Whole(Template),
}

impl ArnPattern {
    /// The pattern that `template` is, if it has six segments and begins with `arn`, or is one variable.
    pub(crate) fn of(template: &Template) -> Option<Self> {
        if template.is_one_variable() {
            return Some(Self::Whole(template.clone()));
        }
        let segments = template.split_at_colons(SEGMENTS);
        (segments.len() == SEGMENTS && segments[0].is("arn")).then_some(Self::Segments(segments))
    }

    /// True if the pattern covers `arn`. What is no ARN is covered by none.
    pub(crate) fn matches(&self, arn: &str, context: &Context) -> bool {
        let segments: Vec<&str> = arn.splitn(SEGMENTS, ':').collect();
        if segments.len() != SEGMENTS || segments[0] != "arn" {
            return false;
        }
        let covers = |template: &Template, text: &str| {
            template.expand(context).is_some_and(|pattern| matches(&pattern, text))
        };
        match self {
            Self::Segments(patterns) => {
                patterns.iter().zip(segments).all(|(pattern, text)| covers(pattern, text))
            }
            Self::Whole(variable) => covers(variable, arn),
        }
    }
}

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
const SEGMENTS: usize = 6;
