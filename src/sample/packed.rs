//! Values that are bytes and not text: MessagePack records, PNG images, packed numbers.
//!
//! Encoders for just what the sample holds, so that it needs no image or MessagePack library.

/// What a MessagePack field may hold here.
pub(super) enum Field<'a> {
    /// Fewer than 32 bytes.
    Text(&'a str),
    /// A year, say.
    Number(u16),
}

/// A MessagePack map of fewer than 16 fields.
pub(super) fn message<const FIELDS: usize>(fields: [(&str, Field<'_>); FIELDS]) -> Vec<u8> {
    let mut bytes = vec![0x80 | short(FIELDS)];
    for (name, field) in fields {
        push_text(&mut bytes, name);
        match field {
            Field::Text(text) => push_text(&mut bytes, text),
            Field::Number(number) => {
                bytes.push(0xcd);
                bytes.extend(number.to_be_bytes());
            }
        }
    }
    bytes
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(0xa0 | short(text.len()));
    bytes.extend(text.as_bytes());
}

/// A length that MessagePack keeps in the low bits of its first byte.
fn short(len: usize) -> u8 {
    u8::try_from(len).unwrap_or_default()
}

/// Two numbers as little-endian floats.
pub(super) fn floats(pair: [f64; 2]) -> Vec<u8> {
    pair.map(f64::to_le_bytes).concat()
}

const WIDTH: u8 = 30;
const HEIGHT: u8 = 18;

/// A PNG image, 30 by 18, of two or three bands side by side, or one below the other.
pub(super) fn bands(colors: &[[u8; 3]], side_by_side: bool) -> Vec<u8> {
    let count = u8::try_from(colors.len()).unwrap_or(1).max(1);
    let mut rows = Vec::new();
    for y in 0..HEIGHT {
        rows.push(0); // the row is not filtered
        rows.extend((0..WIDTH).map(|x| if side_by_side { x / (WIDTH / count) } else { y / (HEIGHT / count) }));
    }
    // Bit depth 8, palette; the only compression, filter and interlacing that there is need for.
    let header = [0, 0, 0, WIDTH, 0, 0, 0, HEIGHT, 8, 3, 0, 0, 0];
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    push_chunk(&mut png, b"IHDR", &header);
    push_chunk(&mut png, b"PLTE", &colors.concat());
    push_chunk(&mut png, b"IDAT", &stored(&rows));
    push_chunk(&mut png, b"IEND", &[]);
    png
}

fn push_chunk(png: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    let checked = [kind, body].concat();
    png.extend(u32::try_from(body.len()).unwrap_or_default().to_be_bytes());
    png.extend(&checked);
    png.extend(crc32fast::hash(&checked).to_be_bytes());
}

/// A zlib stream of one block that is not compressed.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap_or_default();
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(len.to_le_bytes());
    stream.extend((!len).to_le_bytes());
    stream.extend(bytes);
    stream.extend(adler32(bytes).to_be_bytes());
    stream
}

fn adler32(bytes: &[u8]) -> u32 {
    let step = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    };
    let (a, b) = bytes.iter().fold((1, 0), step);
    b << 16 | a
}

/// The primes below `limit`, by the sieve of Eratosthenes.
pub(super) fn primes_below(limit: usize) -> Vec<u32> {
    let mut crossed_out = vec![false; limit];
    let mut primes = Vec::new();
    for number in 2..limit {
        if crossed_out.get(number) == Some(&false) {
            primes.extend(u32::try_from(number));
            crossed_out.iter_mut().skip(number).step_by(number).for_each(|multiple| *multiple = true);
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn a_record_is_messagepack() {
        let bytes = message([("of", Field::Text("Mars")), ("year", Field::Number(1877))]);
        assert_eq!(bytes, b"\x82\xa2of\xa4Mars\xa4year\xcd\x07\x55");
    }

    #[test]
    fn checksums_are_those_of_their_standards() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(&[255; 1_000]), 0xe6e9_e446);
        let flag = bands(&[[0, 0, 0], [255, 0, 0]], false);
        assert!(flag.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82"));
    }

    #[test]
    fn bands_have_the_same_width() {
        for (colors, side_by_side) in [(2, true), (2, false), (3, true), (3, false)] {
            let png = bands(&vec![[0; 3]; colors], side_by_side);
            // Signature, header, palette, the head of the data chunk and of its zlib stream.
            let pixels = &png[8 + 25 + (12 + colors * 3) + 8 + 7..][..31 * 18];
            for color in 0..colors {
                let of_it = |row: &[u8]| row.iter().skip(1).filter(|pixel| usize::from(**pixel) == color).count();
                assert_eq!(pixels.chunks(31).map(of_it).sum::<usize>(), 30 * 18 / colors);
            }
        }
    }

    #[test]
    fn there_are_9592_primes_below_100000() {
        let primes = primes_below(100_000);
        assert_eq!((primes.len(), primes.last()), (9_592, Some(&99_991)));
        assert!(primes.starts_with(&[2, 3, 5, 7, 11, 13]));
    }
}
