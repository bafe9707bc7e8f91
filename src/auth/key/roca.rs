//! RSA keys of a broken generator: ROCA, CVE-2017-15361 (Nemec and others, "The Return of Coppersmith's Attack", 2017).
//!
//! Infineon's library made primes of the form `k·M + (65537^a mod M)`, where `M` is a product of the first primes. Such a
//! modulus is a power of 65537 modulo each of those primes, which a random one is with a chance below 2⁻²⁷. Its private key
//! can be computed from the public one.

/// The odd ones of the first 39 primes, whose product is part of `M` for every length of a key.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

const GENERATOR: u32 = 65_537;

/// Whether a modulus has the fingerprint.
pub fn is_weak(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| is_power_of_generator(remainder(modulus, *prime), *prime))
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    number.iter().fold(0, |rest, octet| (rest * 256 + u32::from(*octet)) % prime)
}

/// Whether a remainder is one of the powers of the generator, of which there are fewer than `prime`.
fn is_power_of_generator(remainder: u32, prime: u32) -> bool {
    let next = |power: &u32| Some(power * (GENERATOR % prime) % prime);
    let powers = std::iter::successors(Some(1), next).take(prime as usize);
    powers.into_iter().any(|power| power == remainder)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `wycheproof.json` has whole keys; here is the structure alone.
    #[test]
    fn a_product_of_powers_of_the_generator_has_the_fingerprint_and_a_neighbour_has_not() {
        // 65537 to the 15th is one modulo every prime, as far as powers go.
        let power = (0..15).fold(vec![1_u8], |number, _| times_generator(&number));
        assert!(is_weak(&power));
        let mut neighbour = power;
        if let Some(last) = neighbour.last_mut() {
            *last = last.wrapping_add(2);
        }
        assert!(!is_weak(&neighbour));
        assert!(!is_weak(&[]) && !is_weak(&[0]));
    }

    /// `number · 65537`: the number, and itself moved by 16 bits.
    fn times_generator(number: &[u8]) -> Vec<u8> {
        let moved = [number, &[0, 0]].concat();
        let same = [vec![0; 2].as_slice(), number].concat();
        let (mut sum, mut carry) = (Vec::new(), 0);
        for (one, other) in moved.iter().rev().zip(same.iter().rev()) {
            let total = u16::from(*one) + u16::from(*other) + carry;
            sum.push(total.to_le_bytes()[0]);
            carry = total >> 8;
        }
        sum.push(u8::try_from(carry).unwrap());
        sum.reverse();
        sum
    }
}
