//! SHA-256 (FIPS 180-4), for the one hash that the page's policy holds: a test needs no dependency for it.

/// The digest of `text`.
pub(crate) fn digest(text: &[u8]) -> [u8; 32] {
    let mut padded = text.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(text.len() * 8).expect("a text is shorter than that");
    padded.extend(bits.to_be_bytes());
    let constants = constants();
    let mut state = square_roots();
    let (blocks, _) = padded.as_chunks::<64>();
    for block in blocks {
        round(&mut state, &constants, block);
    }
    let mut out = [0; 32];
    for (bytes, word) in out.chunks_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[expect(clippy::many_single_char_names, reason = "they are the names of the standard")]
fn round(state: &mut [u32; 8], constants: &[u32], block: &[u8; 64]) {
    let (words, _) = block.as_chunks::<4>();
    let mut w: Vec<u32> = words.iter().map(|word| u32::from_be_bytes(*word)).collect();
    for at in 16..64 {
        let (x, y) = (w[at - 15], w[at - 2]);
        let small = x.rotate_right(7) ^ x.rotate_right(18) ^ x >> 3;
        let large = y.rotate_right(17) ^ y.rotate_right(19) ^ y >> 10;
        w.push(w[at - 16].wrapping_add(small).wrapping_add(w[at - 7]).wrapping_add(large));
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (k, w) in constants.iter().zip(w) {
        let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let one = h.wrapping_add(sum).wrapping_add(e & f ^ !e & g);
        let one = one.wrapping_add(*k).wrapping_add(w);
        let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let two = sum.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e) = (g, f, e, d.wrapping_add(one));
        (d, c, b, a) = (c, b, a, one.wrapping_add(two));
    }
    for (word, more) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(more);
    }
}

/// The first 32 bits of the fractions of the square roots of the first eight primes.
fn square_roots() -> [u32; 8] {
    let all = primes(8).into_iter().map(|prime| fraction(prime, 2));
    all.collect::<Vec<_>>().try_into().expect("these are eight")
}

/// The same of the cube roots of the first 64.
fn constants() -> Vec<u32> {
    primes(64).into_iter().map(|prime| fraction(prime, 3)).collect()
}

fn primes(count: usize) -> Vec<u128> {
    let prime = |n: &u128| (2..*n).all(|by| !n.is_multiple_of(by));
    (2..).filter(prime).take(count).collect()
}

/// The largest root whose power is not above `prime`, in units of 2^-32, without its whole part.
fn fraction(prime: u128, power: u32) -> u32 {
    let (mut low, mut high) = (0_u128, 1 << 37);
    while 1 < high - low {
        let middle = u128::midpoint(low, high);
        let fits = middle.pow(power) >> (32 * power) < prime;
        if fits { low = middle } else { high = middle }
    }
    u32::try_from(low & 0xffff_ffff).expect("it was cut to 32 bits")
}

#[test]
fn it_is_that_hash() {
    let empty = digest(b"").map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let abc = digest(b"abc").map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
