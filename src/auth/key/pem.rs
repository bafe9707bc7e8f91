//! Public keys in PEM, as Cloud Foundry's UAA publishes them in the member `value` of a JWK.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_cert::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader as _, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfo;

use super::material::{Curve, Material};
use super::unfit::Unfit;

/// Object identifiers of RFC 8017 §A.1, RFC 5480 §2.1.1 and RFC 8410 §3.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const NO_PEM: Unfit = Unfit::Defective("its value is no public key in PEM");

type PublicKey<'a> = SubjectPublicKeyInfo<AnyRef<'a>, BitStringRef<'a>>;

/// Reads a public key (RFC 7468 §13), or one of RSA as PKCS #1 has it.
///
/// # Errors
/// [`Unfit`]
pub fn read(text: &str) -> Result<Material, Unfit> {
    if let Some(der) = section(text, "PUBLIC KEY") {
        return of_any_kind(&der);
    }
    rsa(&section(text, "RSA PUBLIC KEY").ok_or(NO_PEM)?)
}

/// The bytes of a section, also without line breaks, as keys in bindings and variables lose them.
fn section(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (content, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let content: String = content.replace("\\n", "").chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(content).ok()
}

fn of_any_kind(der: &[u8]) -> Result<Material, Unfit> {
    let key = PublicKey::from_der(der).map_err(|_| NO_PEM)?;
    let octets = key.subject_public_key.as_bytes().ok_or(NO_PEM)?;
    match key.algorithm.oid {
        RSA => rsa(octets),
        EC => {
            let curve = key.algorithm.parameters.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
            match curve {
                Some(P256) => point(Curve::P256, octets),
                Some(P384) => point(Curve::P384, octets),
                _ => Err(Unfit::OtherPurpose("its curve is not supported")),
            }
        }
        ED25519 => Material::ed25519(octets),
        _ => Err(Unfit::OtherPurpose("its kind is not supported")),
    }
}

/// RFC 8017 §A.1.1
fn rsa(der: &[u8]) -> Result<Material, Unfit> {
    let numbers = SliceReader::new(der).and_then(|mut reader| {
        let numbers = reader.sequence(|inside| Ok((UintRef::decode(inside)?, UintRef::decode(inside)?)))?;
        reader.finish(numbers)
    });
    let (modulus, exponent) = numbers.map_err(|_| NO_PEM)?;
    Material::rsa(modulus.as_bytes(), exponent.as_bytes())
}

/// RFC 5480 §2.2; compressed points are not supported.
fn point(curve: Curve, octets: &[u8]) -> Result<Material, Unfit> {
    let coordinates = octets.strip_prefix(&[4]).and_then(|both| both.split_at_checked(curve.octets()));
    let (x, y) = coordinates.ok_or(Unfit::Defective("its point is compressed"))?;
    Material::elliptic(curve, x, y)
}
