//! XML documents as they are stored.

use s3s::xml::{Deserialize, Deserializer, Serialize, Serializer};

use crate::errors::{Failure, Result};

/// The text of a document that a client put.
pub(crate) fn to_xml(document: &impl Serialize) -> Result<String> {
    let mut xml = Vec::new();
    let written = document.serialize(&mut Serializer::new(&mut xml));
    written.map_err(|error| Failure::Damaged(error.to_string()))?;
    String::from_utf8(xml).map_err(|error| Failure::Damaged(error.to_string()))
}

/// The document of a text that [`to_xml`] made.
pub(crate) fn from_xml<T: for<'xml> Deserialize<'xml>>(xml: &str) -> Result<T> {
    let mut document = Deserializer::new(xml.as_bytes());
    T::deserialize(&mut document).map_err(|error| Failure::Damaged(error.to_string()))
}
