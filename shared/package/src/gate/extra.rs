//! Extra fields as the gate demands them: whole tag-length-value blocks, each kind once (rule 4).

use super::refusal::Refusal;
use super::{GateCode, record::Fields};

pub(super) const ZIP64: u16 = 0x0001;
pub(super) const UNICODE_PATH: u16 = 0x7075;
pub(super) const ASI_UNIX: u16 = 0x756e;
/// libarchive's own, in which it repeats mode and attributes ("xl").
pub(super) const LIBARCHIVE: u16 = 0x6c78;

/// The extra fields of one header.
#[derive(Debug)]
pub(super) struct Extras<'a>(Vec<(u16, &'a [u8])>);

impl<'a> Extras<'a> {
    /// Splits `bytes`, the extra field of the header at `offset`.
    pub(super) fn parse(bytes: &'a [u8], size_max: usize, offset: u64) -> Result<Self, Refusal> {
        if bytes.len() > size_max {
            let detail = format!("the extra field has {} bytes, the limit is {size_max}", bytes.len());
            return Err(Refusal::new(GateCode::ExtraTooLong, offset, detail));
        }
        let mut blocks = Vec::new();
        let mut fields = Fields(bytes);
        while !fields.0.is_empty() {
            let left = fields.0.len();
            let block = next_block(&mut fields).ok_or_else(|| {
                let detail = format!("the last {left} of {} bytes are no whole extra field", bytes.len());
                Refusal::new(GateCode::ExtraMalformed, offset, detail)
            })?;
            blocks.push(block);
        }
        Extras(blocks).each_once(offset)
    }

    /// The data of the field `id`.
    pub(super) fn find(&self, id: u16) -> Option<&'a [u8]> {
        self.0.iter().find(|(found, _)| *found == id).map(|(_, data)| *data)
    }

    fn each_once(self, offset: u64) -> Result<Self, Refusal> {
        let mut ids: Vec<u16> = self.0.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair.first() == pair.last()) {
            None => Ok(self),
            Some(pair) => {
                let detail = format!("extra field {:#06x} appears twice", pair.first().unwrap_or(&0));
                Err(Refusal::new(GateCode::DuplicateExtra, offset, detail))
            }
        }
    }
}

fn next_block<'a>(fields: &mut Fields<'a>) -> Option<(u16, &'a [u8])> {
    let (id, size) = (fields.u16()?, fields.u16()?);
    Some((id, fields.slice(size.into())?))
}
