//! How inputs are changed beyond what libFuzzer does by itself: zips by their records, signatures by their elements.

use arbitrary::{Result, Unstructured};

use crate::dissect::dissect;
use crate::edits::edit;
use crate::pki::forge::{P7S, SF, pem};
use crate::tlv;
use crate::zips::{Entry, Zip, stored};

/// libFuzzer's own mutator: (buffer, size, size at most) to the new size.
pub type Plain = fn(&mut [u8], usize, usize) -> usize;

/// Changes the zip in `data[..size]` by its records, or as bytes, and gives the new size.
pub fn mutate_package(data: &mut [u8], size: usize, size_max: usize, seed: u32, plain: Plain) -> usize {
    let changed = noise(seed, |u| {
        if u.ratio(1, 3)? {
            return Ok(None);
        }
        let Some(mut zip) = dissect(&data[..size]) else { return Ok(None) };
        for _ in 0..u.int_in_range(1..=3)? {
            match zip.entries.iter_mut().find(|entry| is_signature(entry)) {
                Some(entry) if u.ratio(1, 2)? => edit_signature(entry, u)?,
                _ => edit(&mut zip, u)?,
            }
        }
        Ok(Some(zip.build()))
    });
    replace(data, size, size_max, changed, plain)
}

/// Changes the signature in `data[1..size]` by its elements, or as bytes, and gives the new size.
pub fn mutate_cms(data: &mut [u8], size: usize, size_max: usize, seed: u32, plain: Plain) -> usize {
    let changed = noise(seed, |u| {
        let Some((form, body)) = data[..size].split_first() else { return Ok(None) };
        let form = if u.ratio(1, 20)? { u.arbitrary()? } else { *form };
        let Some(body) = (form % 3 != 1 && u.ratio(3, 4)?).then(|| tlv::elements(body)).flatten() else {
            return Ok(None);
        };
        Ok(Some([&[form][..], &edit_elements(body, u)?].concat()))
    });
    replace(data, size, size_max, changed, plain)
}

/// Writes to `out` a zip of the first entries of one and the last of the other, or one's signature on the other, and
/// gives its size.
pub fn cross_packages(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let crossed = noise(seed, |u| {
        let (Some(mut zip), Some(other)) = (dissect(one), dissect(other)) else { return Ok(None) };
        cross(&mut zip, &other, u)?;
        Ok(Some(zip.build()))
    });
    let crossed = crossed.unwrap_or_else(|| one.to_vec());
    let size = crossed.len().min(out.len());
    out[..size].copy_from_slice(&crossed[..size]);
    size
}

fn cross(zip: &mut Zip, other: &Zip, u: &mut Unstructured<'_>) -> Result<()> {
    let signature = other.entries.iter().find(|entry| is_signature(entry));
    let own = zip.entries.iter().position(is_signature);
    if let (Some(signature), Some(own), true) = (signature, own, u.arbitrary()?) {
        zip.entries[own] = signature.clone();
        return Ok(());
    }
    zip.entries.truncate(u.int_in_range(0..=zip.entries.len())?);
    let from = u.choose_index(other.entries.len())?;
    zip.entries.extend_from_slice(&other.entries[from..]);
    Ok(())
}

fn is_signature(entry: &Entry) -> bool {
    [P7S.as_bytes(), SF.as_bytes()].contains(&entry.central.name.as_slice()) && entry.central.method == 0
}

/// The same entry with an edited signature, its sizes and checksum right.
fn edit_signature(entry: &mut Entry, u: &mut Unstructured<'_>) -> Result<()> {
    let is_pem = entry.central.name == SF.as_bytes();
    let decoded = if is_pem {
        der::pem::decode_vec(&entry.data).ok().map(|(_, der)| der)
    } else {
        Some(entry.data.clone())
    };
    let Some(elements) = decoded.and_then(|der| tlv::elements(&der)) else { return Ok(()) };
    let der = edit_elements(elements, u)?;
    let body = if is_pem { pem(&der).into_bytes() } else { der };
    let new = stored(&String::from_utf8_lossy(&entry.central.name), &body);
    for (header, new) in [(&mut entry.local, new.local), (&mut entry.central, new.central)] {
        (header.crc, header.size, header.compressed) = (new.crc, new.size, new.compressed);
    }
    entry.data = body;
    Ok(())
}

fn edit_elements(mut elements: Vec<tlv::Element>, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    for _ in 0..u.int_in_range(1..=3)? {
        if !elements.is_empty() {
            tlv::edit(&mut elements, u)?;
        }
    }
    Ok(tlv::encode(&elements))
}

fn replace(data: &mut [u8], size: usize, size_max: usize, changed: Option<Vec<u8>>, plain: Plain) -> usize {
    match changed.filter(|changed| changed.len() <= size_max) {
        Some(changed) => {
            data[..changed.len()].copy_from_slice(&changed);
            changed.len()
        }
        None => plain(data, size, size_max),
    }
}

/// Lets `make` decide by bytes that `seed` alone determines.
pub(crate) fn noise<T>(
    seed: u32,
    make: impl FnOnce(&mut Unstructured<'_>) -> Result<Option<T>>,
) -> Option<T> {
    let mut state = u64::from(seed);
    let bytes: Vec<u8> = (0..128).flat_map(|_| split_mix(&mut state).to_le_bytes()).collect();
    make(&mut Unstructured::new(&bytes)).unwrap_or_default()
}

/// SplitMix64.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
