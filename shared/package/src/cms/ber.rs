//! Makes DER of the BER that AWS Signer writes (FORMAT.md section 4.7), before anything is read or hashed, and sorts the
//! sets of what we write.

use super::error::CmsError;

/// The DER of the one BER element that `ber` holds.
pub(super) fn to_der(ber: &[u8]) -> Result<Vec<u8>, CmsError> {
    let mut reader = Reader { rest: ber, elements_left: MAX_ELEMENTS };
    let der = reader.element(0)?.ok_or_else(|| malformed("it begins with an end-of-contents"))?;
    if reader.rest.is_empty() { Ok(der) } else { Err(malformed("bytes follow it")) }
}

struct Reader<'a> {
    rest: &'a [u8],
    elements_left: u32,
}

#[derive(Clone, Copy)]
enum Length {
    Definite(usize),
    Indefinite,
}

impl Reader<'_> {
    /// The next element as DER; `None` at an end-of-contents.
    fn element(&mut self, depth: u32) -> Result<Option<Vec<u8>>, CmsError> {
        let within = self.elements_left.checked_sub(1).filter(|_| depth < MAX_DEPTH);
        self.elements_left =
            within.ok_or_else(|| malformed("it nests too deeply or has too many elements"))?;
        let tag = self.byte()?;
        if tag & TAG_NUMBER == TAG_NUMBER {
            return Err(malformed("it has a tag above 30"));
        }
        match (tag & CONSTRUCTED != 0, self.length()?) {
            (false, Length::Definite(0)) if tag == END_OF_CONTENTS => Ok(None),
            (false, Length::Definite(size)) => self.primitive(tag, size).map(Some),
            (false, Length::Indefinite) => Err(malformed("a primitive element has no length")),
            (true, length) => self.constructed(tag, length, depth).map(Some),
        }
    }

    fn primitive(&mut self, tag: u8, size: usize) -> Result<Vec<u8>, CmsError> {
        let content = self.take(size)?;
        if !is_canonical(tag, content) {
            return Err(malformed("a number, identifier or bit string is not in its one encoding"));
        }
        Ok(encode(tag, content))
    }

    fn constructed(&mut self, tag: u8, length: Length, depth: u32) -> Result<Vec<u8>, CmsError> {
        let mut children = match length {
            Length::Indefinite => self.children_until_end(depth)?,
            Length::Definite(size) => self.children_within(size, depth)?,
        };
        match tag {
            SEQUENCE => Ok(encode(tag, &children.concat())),
            // X.690 section 11.6. A `[0]` with several elements is a SET OF everywhere in SignedData.
            SET | CONTEXT_0 => {
                children.sort();
                Ok(encode(tag, &children.concat()))
            }
            CONSTRUCTED_OCTET_STRING => join(&children),
            _ if tag & CLASS == 0 => Err(malformed("a string other than an octet string is in pieces")),
            _ => Ok(encode(tag, &children.concat())),
        }
    }

    fn children_until_end(&mut self, depth: u32) -> Result<Vec<Vec<u8>>, CmsError> {
        let mut children = Vec::new();
        while let Some(child) = self.element(depth + 1)? {
            children.push(child);
        }
        Ok(children)
    }

    fn children_within(&mut self, size: usize, depth: u32) -> Result<Vec<Vec<u8>>, CmsError> {
        let mut inner = Reader { rest: self.take(size)?, elements_left: self.elements_left };
        let mut children = Vec::new();
        while !inner.rest.is_empty() {
            let child = inner.element(depth + 1)?;
            children.push(child.ok_or_else(|| malformed("an end-of-contents ends nothing"))?);
        }
        self.elements_left = inner.elements_left;
        Ok(children)
    }

    fn length(&mut self) -> Result<Length, CmsError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(Length::Definite(usize::from(first)));
        }
        match first & 0x7f {
            0 => Ok(Length::Indefinite),
            octets @ 1..=MAX_LENGTH_OCTETS => {
                let bytes = self.take(usize::from(octets))?;
                Ok(Length::Definite(bytes.iter().fold(0, |size, byte| size << 8 | usize::from(*byte))))
            }
            _ => Err(malformed("a length is longer than 4 bytes")),
        }
    }

    fn byte(&mut self) -> Result<u8, CmsError> {
        self.take(1).map(|bytes| bytes[0])
    }
}

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8], CmsError> {
        let (taken, rest) = self.rest.split_at_checked(size).ok_or_else(|| malformed("it ends early"))?;
        self.rest = rest;
        Ok(taken)
    }
}

/// One primitive octet string of the pieces of a constructed one.
fn join(pieces: &[Vec<u8>]) -> Result<Vec<u8>, CmsError> {
    let mut whole = Vec::new();
    for piece in pieces {
        let content = Reader { rest: piece, elements_left: 0 }.octets()?;
        whole.extend_from_slice(content);
    }
    Ok(encode(OCTET_STRING, &whole))
}

impl<'a> Reader<'a> {
    fn octets(mut self) -> Result<&'a [u8], CmsError> {
        match (self.byte()?, self.length()?) {
            (OCTET_STRING, Length::Definite(size)) => self.take(size),
            _ => Err(malformed("an octet string has pieces of another type")),
        }
    }
}

/// Whether a type that could be written in several ways is written as DER has it (X.690 sections 8.3.2, 8.8.2, 8.19.2,
/// 11.1 and 11.2.1). The parsers that read it next keep some of its bytes as they are and so do not notice.
fn is_canonical(tag: u8, content: &[u8]) -> bool {
    match tag {
        BOOLEAN => matches!(content, [0x00 | 0xff]),
        INTEGER => !matches!(content, [] | [0x00, ..=0x7f, ..] | [0xff, 0x80..=0xff, ..]),
        BIT_STRING => match content {
            [unused @ ..=7, .., last] => last.trailing_zeros() >= u32::from(*unused),
            content => content == [0],
        },
        NULL => content.is_empty(),
        OBJECT_IDENTIFIER => {
            let mut arcs = content.split_inclusive(|byte| byte & 0x80 == 0);
            content.last().is_some_and(|last| last & 0x80 == 0) && arcs.all(|arc| !arc.starts_with(&[0x80]))
        }
        _ => true,
    }
}

fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    let size = content.len().to_be_bytes();
    let significant = &size[size.iter().take_while(|byte| **byte == 0).count()..];
    match *significant {
        [] => element.push(0),
        [short @ ..0x80] => element.push(short),
        _ => {
            element.push(0x80 | u8::try_from(significant.len()).unwrap_or(0x7f));
            element.extend_from_slice(significant);
        }
    }
    element.extend_from_slice(content);
    element
}

fn malformed(detail: &str) -> CmsError {
    CmsError::Encoding { detail: detail.to_owned() }
}

/// Levels of nesting. Stops a signature from exhausting the stack; a certificate chain in CMS has about 14.
const MAX_DEPTH: u32 = 32;
/// Elements in all. Stops a signature of empty elements from costing far more memory than it is long.
const MAX_ELEMENTS: u32 = 16_384;
/// Octets of a length: enough for any signature that is read at all (1 MiB).
const MAX_LENGTH_OCTETS: u8 = 4;

const END_OF_CONTENTS: u8 = 0x00;
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const CONSTRUCTED: u8 = 0x20;
const CONSTRUCTED_OCTET_STRING: u8 = 0x24;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xa0;
const CLASS: u8 = 0xc0;
const TAG_NUMBER: u8 = 0x1f;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_stays_as_it_is() {
        let der = [0x30, 0x08, 0x02, 0x01, 0x05, 0x31, 0x03, 0x02, 0x01, 0x01];
        assert_eq!(to_der(&der).unwrap(), der);
    }

    #[test]
    fn indefinite_lengths_become_definite() {
        let ber = [0x30, 0x80, 0xa0, 0x80, 0x02, 0x01, 0x05, 0, 0, 0, 0];
        assert_eq!(to_der(&ber).unwrap(), [0x30, 0x05, 0xa0, 0x03, 0x02, 0x01, 0x05]);
    }

    #[test]
    fn long_lengths_become_minimal() {
        assert_eq!(to_der(&[0x04, 0x83, 0, 0, 1, 7]).unwrap(), [0x04, 1, 7]);
        let mut ber = vec![0x04, 0x82, 0x00, 0x80];
        ber.extend([7; 128]);
        assert_eq!(to_der(&ber).unwrap()[..3], [0x04, 0x81, 0x80]);
    }

    #[test]
    fn pieces_of_an_octet_string_are_joined() {
        let ber = [0x24, 0x80, 0x04, 1, 7, 0x24, 0x80, 0x04, 2, 8, 9, 0, 0, 0, 0];
        assert_eq!(to_der(&ber).unwrap(), [0x04, 3, 7, 8, 9]);
    }

    #[test]
    fn sets_are_sorted() {
        let ber = [0x31, 6, 0x02, 1, 9, 0x02, 1, 3];
        assert_eq!(to_der(&ber).unwrap(), [0x31, 6, 0x02, 1, 3, 0x02, 1, 9]);
    }

    #[test]
    fn a_second_encoding_of_a_primitive_is_refused() {
        for good in [
            &[0x01, 1, 0xff][..],
            &[0x02, 1, 0],
            &[0x02, 2, 0, 0x80],
            &[0x03, 1, 0],
            &[0x03, 2, 7, 0x80],
            &[0x05, 0],
            &[0x06, 3, 0x2a, 0x81, 0],
        ] {
            assert_eq!(to_der(good).unwrap(), good);
        }
        for bad in [
            &[0x01, 1, 1][..],
            &[0x02, 0],
            &[0x02, 2, 0, 0x7f],
            &[0x02, 2, 0xff, 0x80],
            &[0x03, 0],
            &[0x03, 1, 1],
            &[0x03, 2, 7, 0x40],
            &[0x03, 2, 8, 0],
            &[0x05, 1, 0],
            &[0x06, 0],
            &[0x06, 3, 0x2a, 0x80, 1],
            &[0x06, 2, 0x80, 1],
            &[0x06, 2, 0x2a, 0x81],
        ] {
            assert!(to_der(bad).is_err(), "{bad:02x?}");
        }
    }

    #[test]
    fn hostile_shapes_are_refused() {
        let deep = [[0x30, 0x80]; 40].concat();
        let wide = [vec![0x30, 0x83, 0x01, 0x00, 0x00], [0x05, 0x00].repeat(0x8000)].concat();
        let cases: [&[u8]; 9] = [
            &[],
            &[0x30],
            &[0x30, 0x80, 0x02, 0x01, 0x05],
            &[0x04, 0x80, 0, 0],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x1f, 0x81, 0x01, 0x00],
            &[0x2c, 0x80, 0x0c, 0x01, 0x61, 0, 0],
            &deep,
            &wide,
        ];
        for case in cases {
            assert!(to_der(case).is_err(), "{:02x?}", &case[..case.len().min(8)]);
        }
        assert!(to_der(&[0x05, 0x00, 0x00]).is_err(), "trailing bytes");
    }
}
