//! Names and secrets that nobody can guess, from the operating system.

use std::io;

use rand::TryRng;
use rand::rngs::SysRng;

/// `length` characters of `alphabet`, each as likely as the others. At most 256 characters are in an alphabet.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn text(length: usize, alphabet: &[u8]) -> io::Result<String> {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let drawn: [u8; 64] = bytes()?;
        let fair = drawn.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(fair.take(length - text.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])));
    }
    Ok(text)
}

/// Bytes, each as likely as the others.
///
/// # Errors
/// When the operating system gives none.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let drawn = SysRng.try_fill_bytes(&mut bytes);
    drawn
        .map_err(|error| io::Error::other(format!("the operating system gives no random bytes: {error}")))?;
    Ok(bytes)
}

/// For access key ids, as on AWS.
pub const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// For versions and secrets: nothing that a shell or a URL would have to quote.
pub const LETTERS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length_and_alphabet_and_differ() {
        let one = text(200, LETTERS_AND_DIGITS).unwrap();
        assert_eq!(one.len(), 200);
        assert!(one.bytes().all(|byte| LETTERS_AND_DIGITS.contains(&byte)));
        assert_ne!(one, text(200, LETTERS_AND_DIGITS).unwrap());
        assert_ne!(bytes::<16>().unwrap(), bytes::<16>().unwrap());
    }
}
