//! ASN.1 as a tree of tags, lengths and contents: to change a signature in its structure, and to say whether bytes are DER
//! without the parser that is tested.

use arbitrary::{Result, Unstructured};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    tag: u8,
    length: Length,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Primitive(Vec<u8>),
    Constructed(Vec<Element>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Minimal,
    /// In four octets, whether it needs them or not.
    Long,
    Indefinite,
}

/// The elements that follow each other in `bytes`; none where they are not BER.
pub(crate) fn elements(bytes: &[u8]) -> Option<Vec<Element>> {
    let mut rest = bytes;
    let mut elements = Vec::new();
    while !rest.is_empty() {
        elements.push(element(&mut rest, 0)?);
    }
    Some(elements)
}

pub(crate) fn encode(elements: &[Element]) -> Vec<u8> {
    let mut out = Vec::new();
    elements.iter().for_each(|element| element.write(&mut out));
    out
}

fn element(rest: &mut &[u8], depth: u32) -> Option<Element> {
    let ([tag, first], tail) = rest.split_first_chunk()?;
    *rest = tail;
    if tag & TAG_NUMBER == TAG_NUMBER || depth > DEPTH_MAX {
        return None;
    }
    let (constructed, first) = (tag & CONSTRUCTED != 0, usize::from(*first));
    if first == 0x80 {
        let mut children = Vec::new();
        while !rest.starts_with(&[0, 0]) {
            children.push(element(rest, depth + 1).filter(|_| constructed)?);
        }
        *rest = &rest[2..];
        return Some(Element {
            tag: *tag,
            length: Length::Indefinite,
            content: Content::Constructed(children),
        });
    }
    let octets = if first < 0x80 { 0 } else { first & 0x7f };
    let (octets, tail) = rest.split_at_checked(octets).filter(|(octets, _)| octets.len() <= 4)?;
    let size =
        if first < 0x80 { first } else { octets.iter().fold(0, |size, byte| size << 8 | usize::from(*byte)) };
    let (content, tail) = tail.split_at_checked(size)?;
    *rest = tail;
    let length = if minimal_length(size).len() == 1 + octets.len() { Length::Minimal } else { Length::Long };
    let content = if constructed {
        let mut content = content;
        let mut children = Vec::new();
        while !content.is_empty() {
            children.push(element(&mut content, depth + 1)?);
        }
        Content::Constructed(children)
    } else {
        Content::Primitive(content.to_vec())
    };
    Some(Element { tag: *tag, length, content })
}

impl Element {
    fn write(&self, out: &mut Vec<u8>) {
        let content = match &self.content {
            Content::Primitive(content) => content.clone(),
            Content::Constructed(children) => encode(children),
        };
        out.push(self.tag);
        match self.length {
            Length::Minimal => out.extend(minimal_length(content.len())),
            Length::Long => {
                out.push(0x84);
                out.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
            }
            Length::Indefinite => out.push(0x80),
        }
        out.extend(content);
        if self.length == Length::Indefinite {
            out.extend([0, 0]);
        }
    }

    /// X.690 sections 8, 10 and 11, as far as they concern the types in a signature.
    fn is_der(&self) -> bool {
        let well_formed = match (&self.content, self.tag) {
            (Content::Constructed(children), SET | CONTEXT_0) => {
                children.iter().all(Element::is_der)
                    && children.windows(2).all(|pair| encode(&pair[..1]) <= encode(&pair[1..]))
            }
            (Content::Constructed(children), tag) => {
                (tag & CLASS != 0 || tag == SEQUENCE) && children.iter().all(Element::is_der)
            }
            (Content::Primitive(content), BOOLEAN) => matches!(content.as_slice(), [0 | 0xff]),
            (Content::Primitive(content), INTEGER) => match content.as_slice() {
                [] | [0, ..0x80, ..] | [0xff, 0x80..=0xff, ..] => false,
                [..] => true,
            },
            (Content::Primitive(content), BIT_STRING) => match content.as_slice() {
                [unused @ 0..=7, .., last] => u16::from(*last) & ((1_u16 << unused) - 1) == 0,
                content => content == [0],
            },
            (Content::Primitive(content), NULL) => content.is_empty(),
            (Content::Primitive(content), OBJECT_IDENTIFIER) => {
                content.last().is_some_and(|last| last & 0x80 == 0)
                    && content
                        .iter()
                        .zip([&0].into_iter().chain(content))
                        .all(|(byte, before)| *byte != 0x80 || before & 0x80 != 0)
            }
            (Content::Primitive(_), _) => true,
        };
        self.length == Length::Minimal && well_formed
    }
}

/// Whether `bytes` are one element in DER.
pub(crate) fn is_der(bytes: &[u8]) -> bool {
    elements(bytes).is_some_and(|elements| elements.len() == 1 && elements[0].is_der())
}

/// One edit of one element, at any depth.
pub(crate) fn edit(elements: &mut Vec<Element>, u: &mut Unstructured<'_>) -> Result<()> {
    let count = elements.iter().map(count).sum::<usize>();
    let (mut index, mut other) = (u.choose_index(count)?, u.choose_index(count)?);
    let other = find(elements, &mut other).map(|(siblings, at)| siblings[at].clone());
    let (Some((siblings, at)), Some(other)) = (find(elements, &mut index), other) else { return Ok(()) };
    match u.int_in_range(0..=10)? {
        0 => drop(siblings.remove(at)),
        1 => siblings.insert(at, siblings[at].clone()),
        2 => {
            let to = u.choose_index(siblings.len())?;
            siblings.swap(at, to);
        }
        3 => siblings[at] = other,
        4 => siblings.insert(at, other),
        5 => siblings[at].tag = *u.choose(&TAGS)?,
        6 => siblings[at].length = *u.choose(&[Length::Minimal, Length::Long, Length::Indefinite])?,
        7 => siblings.sort_by_key(|element| encode(std::slice::from_ref(element))),
        _ => edit_content(&mut siblings[at], u)?,
    }
    Ok(())
}

fn edit_content(element: &mut Element, u: &mut Unstructured<'_>) -> Result<()> {
    match &mut element.content {
        Content::Constructed(children) => {
            let bytes = encode(children);
            match u.int_in_range(0..=1)? {
                0 => children.clear(),
                _ => element.content = Content::Primitive(bytes),
            }
        }
        Content::Primitive(content) => match u.int_in_range(0..=7)? {
            0 => content.clear(),
            1 => content.push(u.arbitrary()?),
            2 => content.insert(0, u.arbitrary()?),
            3 => drop(content.pop()),
            4 => {
                let size = u.int_in_range(0..=16)?;
                *content = u.bytes(size)?.to_vec();
            }
            5 => {
                // An octet string in two pieces.
                let at = u.int_in_range(0..=content.len())?;
                let piece = |bytes: &[u8]| Element {
                    tag: 0x04,
                    length: Length::Minimal,
                    content: Content::Primitive(bytes.to_vec()),
                };
                let pieces = vec![piece(&content[..at]), piece(&content[at..])];
                (element.tag, element.content) = (0x24, Content::Constructed(pieces));
            }
            _ if content.is_empty() => {}
            _ => {
                let at = u.choose_index(content.len())?;
                content[at] = u.arbitrary()?;
            }
        },
    }
    Ok(())
}

fn count(element: &Element) -> usize {
    match &element.content {
        Content::Primitive(_) => 1,
        Content::Constructed(children) => 1 + children.iter().map(count).sum::<usize>(),
    }
}

/// The element at `index` in depth-first order, as its place among its siblings.
fn find<'a>(siblings: &'a mut Vec<Element>, index: &mut usize) -> Option<(&'a mut Vec<Element>, usize)> {
    for at in 0..siblings.len() {
        let size = count(&siblings[at]);
        match *index {
            0 => return Some((siblings, at)),
            inside if inside < size => {
                *index -= 1;
                let Content::Constructed(children) = &mut siblings[at].content else { return None };
                return find(children, index);
            }
            _ => *index -= size,
        }
    }
    None
}

fn minimal_length(size: usize) -> Vec<u8> {
    match u8::try_from(size) {
        Ok(short @ ..0x80) => vec![short],
        _ => {
            let bytes = size.to_be_bytes();
            let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            [vec![0x80 | u8::try_from(significant.len()).unwrap_or_default()], significant].concat()
        }
    }
}

const TAGS: [u8; 20] = [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x1f, 0x24, 0x30, 0x31, 0x80,
    0xa0, 0xa1, 0xa3,
];

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xa0;
const CONSTRUCTED: u8 = 0x20;
const CLASS: u8 = 0xc0;
const TAG_NUMBER: u8 = 0x1f;
const DEPTH_MAX: u32 = 40;
