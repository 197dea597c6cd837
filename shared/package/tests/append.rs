//! The reversible append: what it writes, that it comes back bit for bit, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "support/generated.rs"]
mod generated;
#[path = "support/views.rs"]
mod views;
#[path = "support/zips.rs"]
mod zips;

use std::io::{self, Read};

use countersign_package::append::{AppendError, AppendedEntry, BODY_SIZE_MAX, NewEntry, append, split};
use countersign_package::gate::{Archive, GateCode};
use countersign_package::limits::Limits;
use countersign_package::source::{ReadAt, Section};
use proptest::prelude::*;
use views::{view, view_of_zip_crate};
use zips::{Entry, Zip, Zip64, deflated, directory, forced_zip64, stored, streamed, symlink, zip};

const NAME: &str = "META-INF/countersign.p7s";

#[test]
fn the_new_entry_has_the_one_fixed_form() {
    let base = || vec![streamed("a", b"body body body"), directory("META-INF/")];
    let unsigned = zip(base()).with(|z| z.comment = b"kept".to_vec());
    let fixed = |entry: Entry, version| {
        entry.both(|h| (h.version, h.time, h.date) = (version, 0, 0x21)).with(|e| e.attributes &= 0xFFFF_0000)
    };
    let signed = unsigned.clone().with(|z| {
        z.entries.push(fixed(stored(NAME, b"signature"), 10));
        z.entries.push(fixed(directory("META_INF/"), 20));
    });
    let new = [NewEntry { name: NAME, body: b"signature" }, NewEntry { name: "META_INF/", body: b"" }];
    assert_eq!(appended(&unsigned.build(), &new).unwrap(), signed.build());
}

#[test]
fn an_appended_entry_in_another_form_is_not_taken_off() {
    let fixed = || stored(NAME, b"signature").both(|h| (h.version, h.time, h.date) = (10, 0, 0x21));
    let signed = |last: Entry| zip(vec![stored("a", b""), last]).build();
    assert_eq!(taken_off(&signed(fixed()), 1).unwrap().1[0].body, b"signature");
    let variants = [
        fixed().both(|h| h.time = 1),
        fixed().both(|h| h.date = 0x22),
        fixed().both(|h| h.flags = 0x800),
        fixed().both(|h| h.flags = 0x2),
        fixed().both(|h| h.extra = zips::extra(0x5455, &[0])),
        fixed().with(|e| e.local.extra = zips::extra(0x5455, &[0])),
        fixed().with(|e| e.central.extra = zips::extra(0x5455, &[0])),
        fixed().with(|e| e.local.version = 20),
        fixed().with(|e| e.central.version = 20),
        fixed().with(|e| e.comment = b"x".to_vec()),
        fixed().with(|e| e.attributes = 0o100_755 << 16),
        fixed().with(|e| e.attributes |= 0x20),
        fixed().with(|e| e.made_by = 0x031E),
        deflated(NAME, b"signature").both(|h| (h.version, h.time, h.date) = (10, 0, 0x21)),
        symlink(NAME, "signature").both(|h| (h.version, h.time, h.date) = (10, 0, 0x21)),
    ];
    for (index, variant) in variants.into_iter().enumerate() {
        let outcome = taken_off(&signed(variant), 1);
        assert!(matches!(outcome, Err(AppendError::NotAppended { .. })), "variant {index}: {outcome:?}");
    }
}

#[test]
fn an_append_refuses_what_the_gate_would_refuse() {
    let unsigned = zip(vec![stored("a", b""), directory("d/"), stored("META-INF/Taken", b"")]).build();
    let code = |name: &str, body: &[u8]| match appended(&unsigned, &[NewEntry { name, body }]) {
        Err(AppendError::Refused(refusal)) => refusal.code,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(code("a", b""), GateCode::DuplicateName);
    assert_eq!(code("meta-inf/TAKEN", b""), GateCode::DuplicateName);
    assert_eq!(code("d", b""), GateCode::DuplicateName);
    assert_eq!(code("a/b", b""), GateCode::FileIsParent);
    assert_eq!(code("../b", b""), GateCode::NameTraversal);
    assert_eq!(code("é", b""), GateCode::NameFlagMissing);
    assert_eq!(code("e/", b"x"), GateCode::DirectoryWithData);
}

#[test]
fn the_signature_counts_against_the_limits() {
    let unsigned = zip(vec![stored("a", b"12345")]).build();
    let refusal = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        let archive = Archive::parse(&unsigned, &limits).unwrap();
        match append(&unsigned, &archive, &[NewEntry { name: NAME, body: b"12345" }], &mut io::sink()) {
            Err(AppendError::Refused(refusal)) => Err(refusal.code),
            outcome => Ok(outcome.unwrap()),
        }
    };
    assert_eq!(refusal(|l| l.unpacked_size_max = 9), Err(GateCode::UnpackedSizeExceeded));
    assert_eq!(refusal(|l| l.entries_max = 1), Err(GateCode::TooManyEntries));
    assert_eq!(refusal(|l| l.name_size_max = 5), Err(GateCode::NameTooLong));
    assert_eq!(refusal(|l| l.central_directory_size_max = 90), Err(GateCode::CentralDirectoryTooLarge));
    assert!(refusal(|l| (l.entries_max, l.unpacked_size_max) = (2, 10)).is_ok());
}

#[test]
fn a_body_that_could_be_mistaken_for_a_record_is_signed_again() {
    let unsigned = zip(vec![stored("a", b"")]).build();
    for signature in [b"PK\x05\x06", b"PK\x03\x04", b"PK\x06\x06", b"PK\x01\x02"] {
        let body = [b"...", &signature[..], b"..."].concat();
        let outcome = appended(&unsigned, &[NewEntry { name: NAME, body: &body }]);
        assert!(matches!(outcome, Err(AppendError::RecordSignature { .. })), "{outcome:?}");
    }
    let body = vec![0; usize::try_from(BODY_SIZE_MAX).unwrap() + 1];
    let outcome = appended(&unsigned, &[NewEntry { name: NAME, body: &body }]);
    assert!(matches!(outcome, Err(AppendError::BodyTooLarge { .. })), "{outcome:?}");
    assert!(appended(&unsigned, &[NewEntry { name: NAME, body: &body[1..] }]).is_ok());
}

#[test]
fn at_least_one_entry_stays_and_at_least_one_goes() {
    let bytes = zip(vec![stored("a", b""), stored("b", b"")]).build();
    for count in [0, 2, 3, usize::MAX] {
        assert!(
            matches!(taken_off(&bytes, count), Err(AppendError::TooFewEntries { entries: 2, .. })),
            "{count}"
        );
    }
}

#[test]
fn a_proof_for_another_source_is_refused() {
    let bytes = zip(vec![stored("a", b"")]).build();
    let archive = Archive::parse(&bytes, &Limits::default()).unwrap();
    let longer = [&bytes[..], &[0]].concat();
    let outcome = append(&longer, &archive, &[NewEntry { name: NAME, body: b"" }], &mut io::sink());
    assert!(matches!(outcome, Err(AppendError::SourceChanged { .. })), "{outcome:?}");
}

#[test]
fn the_number_of_entries_never_changes_the_form() {
    let ends = |sentinels| Some(Zip64 { sentinels, ..Zip64::default() });
    for (count, zip64, fits) in [
        (65_533, None, true),
        (65_534, None, false),
        (65_533, ends(false), true),
        (65_534, ends(false), false),
        (65_534, ends(true), true),
        (65_535, ends(true), true),
    ] {
        let entries = (0..count).map(|n| stored(&format!("{n:x}"), b"")).collect();
        let unsigned = zip(entries).with(|z| z.zip64 = zip64).build();
        match appended(&unsigned, &[NewEntry { name: NAME, body: b"signature" }]) {
            Ok(signed) => assert!(fits && taken_off(&signed, 1).unwrap().0 == unsigned, "{count}"),
            Err(AppendError::WouldChangeForm { value: 65_535, .. }) => assert!(!fits, "{count}"),
            Err(other) => panic!("{count}: {other}"),
        }
    }
}

#[test]
fn every_changed_bit_is_refused_or_seen() {
    let unsigned = small().build();
    let signed = appended(&unsigned, &[NewEntry { name: NAME, body: b"signature" }]).unwrap();
    for bit in 0..signed.len() * 8 {
        let mut changed = signed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        check_seen(&changed, &unsigned, &format!("bit {bit}"));
    }
}

#[test]
fn every_truncation_and_insertion_is_refused() {
    let unsigned = small().build();
    let signed = appended(&unsigned, &[NewEntry { name: NAME, body: b"signature" }]).unwrap();
    let inserted = zip(vec![stored("evil", b"x")]).build();
    for at in 0..=signed.len() {
        let (head, tail) = signed.split_at(at);
        assert!(at == signed.len() || Archive::parse(head, &Limits::default()).is_err(), "cut at {at}");
        assert!(at == 0 || Archive::parse(tail, &Limits::default()).is_err(), "begun at {at}");
        let outcome = Archive::parse(&[head, &inserted, tail].concat(), &Limits::default());
        assert!(outcome.is_err(), "a zip inserted at {at}");
        let outcome = Archive::parse(&[head, &[0], tail].concat(), &Limits::default());
        assert!(outcome.is_err(), "a byte inserted at {at}");
    }
}

proptest! {
    #[test]
    fn what_was_appended_comes_off_bit_for_bit(package in generated::packages(), body in prop::collection::vec(any::<u8>(), 0..500)) {
        let unsigned = package.build();
        let archive = Archive::parse(&unsigned, &Limits::default()).unwrap();
        let new = [NewEntry { name: "META_INF/", body: b"" }, NewEntry { name: NAME, body: &body }];
        let signed = appended(&unsigned, &new).unwrap();
        let signed_archive = Archive::parse(&signed, &Limits::default()).unwrap();
        let (recovered, entries) = split(&signed, &signed_archive, 2).unwrap();
        prop_assert_eq!(recovered.archive(), &archive);
        prop_assert_eq!(read(&recovered), unsigned);
        prop_assert_eq!(&entries[1].body, &body);
    }

    #[test]
    fn the_zip_crate_sees_what_the_gate_sees(package in generated::packages()) {
        let bytes = package.build();
        let archive = Archive::parse(&bytes, &Limits::default()).unwrap();
        prop_assert_eq!(view(&archive, &bytes), view_of_zip_crate(&bytes));
    }

    #[test]
    fn splices_of_two_packages_are_refused_or_seen(
        first in generated::packages(), second in generated::packages(), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
    ) {
        let unsigned = first.build();
        let signed = appended(&unsigned, &[NewEntry { name: NAME, body: b"one" }]).unwrap();
        let other = appended(&second.build(), &[NewEntry { name: NAME, body: b"two" }]).unwrap();
        let spliced = [&signed[..from.index(signed.len())], &other[to.index(other.len())..]].concat();
        if spliced != signed {
            check_seen(&spliced, &unsigned, "a splice");
        }
    }

    #[test]
    fn changed_bytes_never_split_the_readers(package in generated::packages(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let unsigned = package.build();
        let mut signed = appended(&unsigned, &[NewEntry { name: NAME, body: b"signature" }]).unwrap();
        let at = at.index(signed.len());
        prop_assume!(signed[at] != byte);
        signed[at] = byte;
        check_seen(&signed, &unsigned, "a changed byte");
    }

    #[test]
    fn reading_a_recovered_package_in_pieces_is_reading_it_whole(package in generated::packages(), step in 1..97_usize) {
        let unsigned = package.build();
        let signed = appended(&unsigned, &[NewEntry { name: NAME, body: b"signature" }]).unwrap();
        let archive = Archive::parse(&signed, &Limits::default()).unwrap();
        let (recovered, _) = split(&signed, &archive, 1).unwrap();
        for (index, expected) in unsigned.chunks(step).enumerate() {
            let mut found = vec![0; expected.len()];
            recovered.read_exact_at((index * step) as u64, &mut found).unwrap();
            prop_assert_eq!(found, expected);
        }
        prop_assert!(recovered.read_exact_at(unsigned.len() as u64 - 1, &mut [0; 2]).is_err());
    }
}

/// `changed` is refused, or what the signature covers differs; and where it is accepted, another reader agrees.
fn check_seen(changed: &[u8], unsigned: &[u8], what: &str) {
    let Ok(archive) = Archive::parse(changed, &Limits::default()) else { return };
    assert_eq!(view(&archive, changed), view_of_zip_crate(changed), "{what}: two readers, two archives");
    if let Ok((recovered, entries)) = taken_off(changed, 1) {
        let signature = AppendedEntry { name: NAME.to_owned(), body: b"signature".to_vec() };
        assert!(recovered != unsigned || entries != [signature], "{what}: unseen");
    }
}

fn small() -> Zip {
    let entries =
        vec![streamed("a", b"aaaaaaaaaa"), forced_zip64("b", b"b"), symlink("d/l", "../a"), directory("e/")];
    zip(entries).with(|z| (z.comment, z.zip64) = (b"comment".to_vec(), Some(Zip64::default())))
}

fn appended(unsigned: &[u8], entries: &[NewEntry<'_>]) -> Result<Vec<u8>, AppendError> {
    let archive = Archive::parse(unsigned, &Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    let mut signed = Vec::new();
    append(unsigned, &archive, entries, &mut signed)?;
    Ok(signed)
}

fn taken_off(signed: &[u8], count: usize) -> Result<(Vec<u8>, Vec<AppendedEntry>), AppendError> {
    let archive = Archive::parse(signed, &Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    split(signed, &archive, count).map(|(recovered, entries)| (read(&recovered), entries))
}

fn read(source: &impl ReadAt) -> Vec<u8> {
    let mut bytes = Vec::new();
    Section::whole(source).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}
