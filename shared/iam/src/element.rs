//! A value of a policy document together with its place, so that every error can name it.

use crate::error::{PolicyError, PolicyErrorCode as Code, quoted};
use crate::json::Json;

/// A value and where it stands.
#[derive(Debug)]
pub(crate) struct Element<'j> {
    place: String,
    pub(crate) json: &'j Json,
}

/// The members of an object, each with a name that was expected, and none twice.
#[derive(Debug)]
pub(crate) struct Members<'j> {
    place: String,
    members: Vec<(&'j str, Element<'j>)>,
}

impl<'j> Element<'j> {
    /// The document itself.
    pub(crate) fn document(json: &'j Json) -> Self {
        Self { place: String::new(), json }
    }

    /// Where the value stands; the document itself is `policy`.
    pub(crate) fn place(&self) -> &str {
        if self.place.is_empty() { "policy" } else { &self.place }
    }

    pub(crate) fn error(&self, code: Code, message: impl Into<String>) -> PolicyError {
        PolicyError::new(self.place(), code, message)
    }

    pub(crate) fn text(&self) -> Result<&'j str, PolicyError> {
        let Json::Text(text) = self.json else { return Err(self.wrong_type("a string")) };
        Ok(text)
    }

    /// The items of an array, or the value alone; never nothing.
    pub(crate) fn one_or_many(&self) -> Result<Vec<Element<'j>>, PolicyError> {
        let Json::List(items) = self.json else {
            return Ok(vec![Element { place: self.place.clone(), json: self.json }]);
        };
        if items.is_empty() {
            return Err(self.error(Code::EmptyList, EMPTY_LIST));
        }
        Ok(items.iter().enumerate().map(|(at, json)| self.item(at, json)).collect())
    }

    /// The members of an object, in order, none twice; never nothing.
    pub(crate) fn entries(&self) -> Result<Vec<(&'j str, Element<'j>)>, PolicyError> {
        let Json::Object(members) = self.json else { return Err(self.wrong_type("an object")) };
        if members.is_empty() {
            return Err(self.error(Code::EmptyList, EMPTY_OBJECT));
        }
        let mut entries: Vec<(&str, Element<'_>)> = Vec::new();
        for (name, json) in members {
            let element = self.member(name, json);
            if entries.iter().any(|(earlier, _)| earlier == name) {
                return Err(element.error(Code::DuplicateMember, "is there twice"));
            }
            entries.push((name, element));
        }
        Ok(entries)
    }

    /// The members of an object that has no others than `names`.
    pub(crate) fn members(&self, names: &[&str]) -> Result<Members<'j>, PolicyError> {
        let members = self.entries()?;
        if let Some((_, element)) = members.iter().find(|(name, _)| !names.contains(name)) {
            let message = format!("is not known here; known are {}", names.join(", "));
            return Err(element.error(Code::UnknownMember, message));
        }
        Ok(Members { place: self.place().to_owned(), members })
    }

    fn wrong_type(&self, expected: &str) -> PolicyError {
        self.error(Code::WrongType, format!("must be {expected}, and is {}", self.json.kind()))
    }

    fn item(&self, at: usize, json: &'j Json) -> Element<'j> {
        Element { place: format!("{}[{at}]", self.place), json }
    }

    fn member(&self, name: &str, json: &'j Json) -> Element<'j> {
        // A name comes from the document: one that is no plain word is quoted, so that it cannot forge a place.
        let plain = name.len() <= 80 && name.chars().all(|c| c.is_ascii_graphic());
        let name = if plain { name.to_owned() } else { quoted(name) };
        let place = if self.place.is_empty() { name } else { format!("{}.{name}", self.place) };
        Element { place, json }
    }
}

impl<'j> Members<'j> {
    pub(crate) fn get(&self, name: &str) -> Option<&Element<'j>> {
        self.members.iter().find(|(member, _)| *member == name).map(|(_, element)| element)
    }

    pub(crate) fn required(&self, name: &str) -> Result<&Element<'j>, PolicyError> {
        self.get(name).ok_or_else(|| self.missing(name))
    }

    /// The element `name`, or its negation `Not…` and true. One of them is there, and not both.
    pub(crate) fn either(&self, name: &str) -> Result<(bool, &Element<'j>), PolicyError> {
        let negation = format!("Not{name}");
        match (self.get(name), self.get(&negation)) {
            (Some(element), None) => Ok((false, element)),
            (None, Some(element)) => Ok((true, element)),
            (None, None) => Err(self.missing(&format!("{name} or {negation}"))),
            (Some(_), Some(_)) => {
                let message = format!("has both {name} and {negation}; keep one");
                Err(PolicyError::new(&self.place, Code::ConflictingElements, message))
            }
        }
    }

    fn missing(&self, what: &str) -> PolicyError {
        PolicyError::new(&self.place, Code::MissingElement, format!("lacks {what}"))
    }
}

const EMPTY_LIST: &str =
    "is an empty list, which would never match; name something or leave the statement out";
const EMPTY_OBJECT: &str = "is an empty object; name something or leave it out";
