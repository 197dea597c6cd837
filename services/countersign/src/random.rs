//! Names and secrets that nobody can guess, from the operating system.

use anyhow::Context;
use countersign_domain::{JobId, ProfileVersionId};
use rand::TryRng;
use rand::rngs::SysRng;

/// The version of a new profile.
pub(crate) fn profile_version() -> anyhow::Result<ProfileVersionId> {
    Ok(text(10, LETTERS_AND_DIGITS)?.parse()?)
}

/// The id of a job that no drop asked for.
pub(crate) fn job_id() -> anyhow::Result<JobId> {
    bytes().map(JobId::from_random)
}

/// `length` characters of `alphabet`, each as likely as the others. At most 256 characters are in an alphabet.
pub(crate) fn text(length: usize, alphabet: &[u8]) -> anyhow::Result<String> {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let drawn: [u8; 64] = bytes()?;
        let fair = drawn.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(fair.take(length - text.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])));
    }
    Ok(text)
}

/// For access key ids, as on AWS.
pub(crate) const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// For versions and secrets: nothing that a shell or a URL would have to quote.
pub(crate) const LETTERS_AND_DIGITS: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).context("the operating system gives no random bytes")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length_and_alphabet_and_differ() {
        let one = text(200, LETTERS_AND_DIGITS).unwrap();
        assert_eq!(one.len(), 200);
        assert!(one.bytes().all(|byte| LETTERS_AND_DIGITS.contains(&byte)));
        assert_ne!(one, text(200, LETTERS_AND_DIGITS).unwrap());
        assert!(profile_version().is_ok() && job_id().is_ok());
    }
}
