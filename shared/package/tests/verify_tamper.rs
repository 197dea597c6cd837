//! A signed package differs from what was signed: refused, whatever the difference.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod pki;
#[path = "support/zips.rs"]
mod zips;

use std::sync::OnceLock;
use std::thread;

use countersign_domain::Platform;
use countersign_package::chain::TrustRoots;
use countersign_package::limits::Limits;
use countersign_package::verify::verify;
use pki::{Installation, SIGNED_AT, forge, instant, tiny, zip_of};
use proptest::prelude::*;
use zips::{deflated, directory, extra, forced_zip64, stored, streamed, streamed_zip64, symlink};

/// Signed packages and the root that is trusted.
struct Samples {
    roots: TrustRoots,
    tiny: Vec<Vec<u8>>,
    larger: Vec<Vec<u8>>,
    /// Every record that a zip can have.
    varied: Vec<Vec<u8>>,
}

fn samples() -> &'static Samples {
    static SAMPLES: OnceLock<Samples> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let installation = Installation::new();
        let larger =
            zip_of(&[("bin/", b""), ("bin/run", b"#!/bin/sh\necho hello\n"), ("data", &[b'x'; 900])]);
        let signed =
            |unsigned: &[u8]| Platform::ALL.map(|platform| installation.signed(platform, unsigned)).to_vec();
        Samples {
            roots: installation.root.trusted(),
            tiny: signed(&tiny()),
            larger: signed(&larger),
            varied: signed(&varied()),
        }
    })
}

fn varied() -> Vec<u8> {
    let entries = vec![
        directory("lib/"),
        stored("lib/stored", b"one"),
        deflated("lib/größe.py", b"print(1)\n").both(|header| header.extra = extra(0x5455, &[1, 0, 0, 0, 0])),
        symlink("lib/link", "stored"),
        streamed("lib/streamed", b"two"),
        streamed_zip64("lib/streamed64", b"three"),
        forced_zip64("lib/zip64", b"four").with(|entry| entry.comment = b"a comment".to_vec()),
    ];
    let zip64 = Some(zips::Zip64::default());
    zips::Zip { zip64, comment: b"another comment".to_vec(), ..zips::zip(entries) }.build()
}

fn verifies(package: &[u8]) -> bool {
    verify(package, &samples().roots, instant(SIGNED_AT), &Limits::default()).is_ok()
}

#[test]
fn the_samples_themselves_verify() {
    let Samples { tiny, larger, varied, .. } = samples();
    assert!(tiny.iter().chain(larger).chain(varied).all(|package| verifies(package)));
}

#[test]
fn each_single_bit_counts() {
    for (package, platform) in samples().tiny.iter().zip(Platform::ALL) {
        let mut flipped = package.clone();
        for bit in 0..package.len() * 8 {
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!verifies(&flipped), "{platform}: bit {} of byte {}", bit % 8, bit / 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(flipped, *package);
    }
}

/// Both with a whole byte and with a bit of it changed, in each record that a zip can have.
#[test]
fn each_byte_of_each_record_counts() {
    let refused = |package: &[u8], platform: Platform| {
        let mut changed = package.to_vec();
        for at in 0..package.len() {
            for change in [0xff, 1 << (at % 8)] {
                changed[at] ^= change;
                assert!(!verifies(&changed), "{platform}: byte {at} changed by {change:#04x}");
                changed[at] ^= change;
            }
        }
        assert_eq!(changed, package);
    };
    thread::scope(|scope| {
        for (package, platform) in samples().varied.iter().zip(Platform::ALL) {
            scope.spawn(move || refused(package, platform));
        }
    });
}

/// Whatever the form a signature came in, and whatever the package and the form it is put into.
#[test]
fn a_signature_counts_for_its_own_package_in_its_own_entry_alone() {
    let Samples { tiny, larger, varied, .. } = samples();
    let signed: Vec<(usize, Platform, &Vec<u8>)> = [tiny, larger, varied]
        .into_iter()
        .enumerate()
        .flat_map(|(which, forms)| {
            Platform::ALL.into_iter().zip(forms).map(move |(p, form)| (which, p, form))
        })
        .collect();
    assert_eq!(signed.len(), 9);
    let is_aws = |platform| platform == Platform::AwsLambdaSha384Ecdsa;
    for (from, its_platform, giver) in &signed {
        for (to, platform, taker) in &signed {
            let swapped = forge::with_signature_like(taker, &forge::content_info(giver));
            let belongs = from == to && is_aws(*its_platform) == is_aws(*platform);
            assert_eq!(verifies(&swapped), belongs, "{its_platform} of {from} in {platform} of {to}");
        }
    }
}

/// The value alone moves: the attributes stay those of the package.
#[test]
fn a_signature_value_counts_for_its_own_attributes_alone() {
    let Samples { tiny, larger, .. } = samples();
    let value = |package: &[u8]| forge::signer(&forge::signed_data(&forge::content_info(package))).signature;
    for (taker, platform) in tiny.iter().zip(Platform::ALL) {
        for giver in tiny.iter().chain(larger).filter(|giver| *giver != taker) {
            let swapped = forge::rebuilt(taker, |data| {
                forge::edit_signer(data, |signer| signer.signature = value(giver));
            });
            assert!(!verifies(&swapped), "{platform}");
        }
    }
}

#[test]
fn each_truncation_and_each_lost_byte_counts() {
    for (package, platform) in samples().tiny.iter().zip(Platform::ALL) {
        for at in 0..package.len() {
            assert!(!verifies(&package[..at]), "{platform}: the first {at} bytes");
            assert!(!verifies(&package[at + 1..]), "{platform}: without the first {}", at + 1);
            let without = [&package[..at], &package[at + 1..]].concat();
            assert!(!verifies(&without), "{platform}: without byte {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_is_refused(sample in 0..3_usize, at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut package = samples().larger[sample].clone();
        let at = at.index(package.len());
        package[at] ^= 1_u8 << bit;
        prop_assert!(!verifies(&package));
    }

    #[test]
    fn an_insertion_is_refused(
        sample in 0..3_usize,
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let package = &samples().larger[sample];
        let at = at.index(package.len() + 1);
        let inserted = [&package[..at], &bytes, &package[at..]].concat();
        prop_assert!(!verifies(&inserted));
    }

    #[test]
    fn a_cut_is_refused(sample in 0..3_usize, from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let package = &samples().larger[sample];
        let (from, to) = (from.index(package.len() + 1), to.index(package.len() + 1));
        prop_assume!(from != to);
        let (from, to) = (from.min(to), from.max(to));
        let cut = [&package[..from], &package[to..]].concat();
        prop_assert!(!verifies(&cut));
    }

    #[test]
    fn moved_bytes_are_refused(sample in 0..3_usize, mut at in prop::collection::vec(any::<prop::sample::Index>(), 3)) {
        let package = &samples().larger[sample];
        at.sort_by_key(|index| index.index(package.len() + 1));
        let [a, b, c] = [0, 1, 2].map(|which| at[which].index(package.len() + 1));
        let moved = [&package[..a], &package[b..c], &package[a..b], &package[c..]].concat();
        prop_assume!(moved != *package);
        prop_assert!(!verifies(&moved));
    }

    #[test]
    fn a_splice_of_two_packages_is_refused(
        one in 0..3_usize,
        two in 0..3_usize,
        at in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
    ) {
        let (one, two) = (&samples().larger[one], &samples().tiny[two]);
        let spliced = [&one[..at.index(one.len())], &two[from.index(two.len())..]].concat();
        prop_assume!(spliced != *two);
        prop_assert!(!verifies(&spliced));
    }

    #[test]
    fn stripping_gives_back_any_zip(
        files in prop::collection::btree_map("[a-z]{1,8}", prop::collection::vec(any::<u8>(), 0..300), 1..8),
        sample in 0..3_usize,
    ) {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, body)| (name.as_str(), body.as_slice())).collect();
        // A name of three or four letters may be a device on Windows, which the gate refuses.
        prop_assume!(!files.iter().any(|(name, _)| matches!(*name, "aux" | "con" | "nul" | "prn")));
        let unsigned = zip_of(&files);
        let platform = Platform::ALL[sample];
        let signed = Installation::new().signed(platform, &unsigned);
        prop_assert!(verifies(&signed));
        prop_assert_eq!(pki::forge::stripped(&signed), unsigned);
    }
}
