//! Keys that belong together, whose values are likely of one kind.

use super::riak::riak_key;

/// What separates the parts of a key.
const SEPARATORS: &[u8] = b":/|.";

/// What the keys of a family have in common: Riak's bucket with its type, or what stands before the first of `: / | .`; a
/// key without any of them is a family of its own.
pub fn family(key: &[u8]) -> Vec<u8> {
    if let Some(key) = riak_key(key) {
        return [&[0], key.bucket_type.unwrap_or_default(), &[0], key.bucket].concat();
    }
    let end = key.iter().position(|byte| SEPARATORS.contains(byte));
    key.get(..end.map_or(key.len(), |at| at + 1)).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_ends_at_the_first_separator() {
        assert_eq!(family(b"user:1:name"), b"user:");
        assert_eq!(family(b"a/b:c"), b"a/");
        assert_eq!((family(b"plain"), family(b"")), (b"plain".to_vec(), Vec::new()));
        assert_ne!(family(b"user"), family(b"user:1"));
    }

    #[test]
    fn a_bucket_is_a_family_in_either_version_of_its_keys() {
        let compact = b"\x02\x00\x05users12";
        let term = b"\x83h\x02m\x00\x00\x00\x05usersm\x00\x00\x00\x0213";
        assert_eq!(family(compact), family(term));
        assert_ne!(family(compact), family(b"\x02\x00\x05other12"));
    }
}
