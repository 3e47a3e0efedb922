//! A reader of what `export --as resp` writes, by the book: arrays of bulk strings.

use crate::Contents;

/// What Redis would hold. Panics at whatever Redis would refuse.
pub(crate) fn replayed(mut bytes: &[u8]) -> Contents {
    let mut held = Contents::new();
    while !bytes.is_empty() {
        let words: Vec<Vec<u8>> = (0..number(&mut bytes, b'*')).map(|_| bulk(&mut bytes)).collect();
        assert_eq!(words[0], b"SET");
        let expires_at = match &words[3..] {
            [] => None,
            [option, millis] if option == b"PXAT" => Some(std::str::from_utf8(millis).unwrap().parse().unwrap()),
            other => panic!("{other:?}"),
        };
        assert!(held.insert(words[1].clone(), (words[2].clone(), expires_at)).is_none(), "each key once");
    }
    held
}

fn number(bytes: &mut &[u8], sign: u8) -> usize {
    let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
    let (line, rest) = (&bytes[..end], &bytes[end + 2..]);
    *bytes = rest;
    assert_eq!(line[0], sign);
    std::str::from_utf8(&line[1..]).unwrap().parse().unwrap()
}

fn bulk(bytes: &mut &[u8]) -> Vec<u8> {
    let len = number(bytes, b'$');
    let word = bytes[..len].to_vec();
    assert_eq!(&bytes[len..len + 2], b"\r\n");
    *bytes = &bytes[len + 2..];
    word
}
