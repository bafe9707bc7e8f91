//! `map` takes a cart in every form in which the service takes it, and names what is no cart.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Exit code, standard output and standard error of the binary in the repository.
fn run(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that fails early reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn map_takes_a_cart_in_every_form_that_the_service_takes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cart = fs::read_to_string(root.join("mapping/examples/asjson-sample.cart.json")).unwrap();
    let alone = run(&["map", "-"], &cart);
    assert_eq!(alone.0, 0, "{}", alone.2);
    for one in [
        format!("[{cart}]"),
        format!("{{\"CARTS\":[{cart}]}}"),
        format!("{{\"d\":{{\"results\":[{cart}]}}}}"),
        format!("\u{feff}{cart}"),
    ] {
        assert_eq!(run(&["map", "-"], &one), alone);
    }
    let wrong = r#"{"HEADER":{"OBJECT_ID":"1"},"ITEM":[{"UNIT":"?"}]}"#;
    let line = cart.replace(['\n', '\r'], " ");
    for several in
        [format!("[{cart},{wrong}]"), format!("{{\"CARTS\":[{cart},{wrong}]}}"), format!("{line}\n{wrong}\n")]
    {
        let (code, stdout, stderr) = run(&["map", "-"], &several);
        let previews: Vec<Value> = serde_json::from_str(&stdout).unwrap();
        assert_eq!((code, previews.len()), (1, 2), "{stderr}");
        assert_eq!(previews[0], serde_json::from_str::<Value>(&alone.1).unwrap());
        assert!(stderr.contains("cart 2: ") && stderr.contains("see messages"), "{stderr}");
    }
    let (code, stdout, stderr) = run(&["map", "-"], &format!("[{cart},7]"));
    assert!(code == 1 && stderr.contains("cart 2: HEADER") && stdout.starts_with('['), "{stderr}");
    for (text, expected) in
        [("[]", "empty list"), ("{\"d\":{\"results\":[{\"HEADER\":{}}],\"__next\":\"x\"}}", "d.__next")]
    {
        let (code, _, stderr) = run(&["map", "-"], text);
        assert!(code == 1 && stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn map_names_the_encoding_of_a_file_that_is_no_utf_8() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cart.json");
    let text = "{\"HEADER\":{\"DESCRIPTION\":\"Schl\u{fc}ssel\"}}";
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf_32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    let latin_1: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (bytes, encoding) in [
        (utf_16.clone(), "UTF-16 (little endian)"),
        ([b"\xFF\xFE", utf_16.as_slice()].concat(), "UTF-16 (little endian)"),
        (utf_32, "UTF-32 (big endian)"),
        (latin_1, "0xFC, as ISO-8859-1"),
    ] {
        fs::write(&file, bytes).unwrap();
        let path = file.to_str().unwrap();
        for arguments in [vec!["map", path], vec!["map", "--compare", "mapping", "mapping", path]] {
            let (_, _, stderr) = run(&arguments, "");
            assert!(stderr.contains(encoding) && stderr.contains("expected UTF-8"), "{stderr}");
        }
    }
}
