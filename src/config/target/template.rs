//! Texts with places for an order's id and its cart number: `{id}`, `{number}`.

use std::fmt;

/// A text in which `{id}` and `{number}` are filled in.
#[derive(Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The order's id.
    Id,
    /// The number of its cart.
    Number,
}

/// A path below `target.base_url`, with a query or without.
pub const PATH: &str =
    "a path such as /purchase-orders, which is appended to target.base_url and may hold {id}, {number} and a query";

/// What an order fills in.
#[derive(Debug, Clone, Copy)]
pub struct Fillings<'f> {
    /// The order's id.
    pub id: &'f str,
    /// The number of its cart.
    pub number: &'f str,
}

impl Template {
    /// Reads the text; `None` for any other name in braces, and for a brace alone.
    pub fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}')?;
            let piece = match name {
                "id" => Piece::Id,
                "number" => Piece::Number,
                _ => return None,
            };
            pieces.extend([Piece::Text(before.to_owned()), piece]);
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let is_closed = pieces.iter().all(|piece| !matches!(piece, Piece::Text(text) if text.contains('}')));
        is_closed.then_some(Self(pieces))
    }

    /// Reads a path below the base URL: no other host, no step upwards, no fragment.
    pub fn parse_path(text: &str) -> Option<Self> {
        let (path, _) = text.split_once('?').unwrap_or((text, ""));
        let is_step = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        let is_plain = !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '#' | '\\'));
        let is_path = path.starts_with('/') && !path.contains("//") && !path.split('/').any(is_step);
        Self::parse(text).filter(|_| is_plain && is_path)
    }

    /// Whether it has a text beside what an order fills in.
    pub fn has_text(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Text(text) if !text.is_empty()))
    }

    /// Whether an order is told from others by it.
    pub fn names_an_order(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    /// Whether it holds `{id}`.
    pub fn holds_id(&self) -> bool {
        self.0.contains(&Piece::Id)
    }

    /// Whether the path holds `{id}` before its query: then it is the address of one order.
    pub fn is_of_one_order(&self) -> bool {
        self.to_string().split('?').next().is_some_and(|path| path.contains("{id}"))
    }

    /// The last segment of the path that is the same for all orders.
    pub fn last_constant_segment(&self) -> Option<String> {
        let text = self.to_string();
        let mut segments = text.split('?').next()?.rsplit('/');
        segments.find(|segment| !segment.is_empty() && !segment.contains('{')).map(str::to_owned)
    }

    /// The values that are filled in.
    pub fn used<'f>(&self, fillings: Fillings<'f>) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter_map(move |piece| match piece {
            Piece::Text(_) => None,
            Piece::Id => Some(fillings.id),
            Piece::Number => Some(fillings.number),
        })
    }

    /// The text with an order's values, each encoded.
    pub fn fill(&self, fillings: Fillings<'_>, encode: impl Fn(&str) -> String) -> String {
        let filled = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Id => encode(fillings.id),
            Piece::Number => encode(fillings.number),
        });
        filled.collect()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fill(Fillings { id: "{id}", number: "{number}" }, str::to_owned))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_and_the_number_are_filled_in_and_encoded() {
        let fillings = Fillings { id: "a/b", number: "47" };
        let fill =
            |text: &str| Template::parse(text).map(|template| template.fill(fillings, |text| text.replace('/', "%2F")));
        assert_eq!(fill("/x/{id}/y").as_deref(), Some("/x/a%2Fb/y"));
        assert_eq!(fill("{number}{id}").as_deref(), Some("47a%2Fb"));
        assert_eq!(fill("/x").as_deref(), Some("/x"));
        for wrong in ["/x/{field}", "/x/{id", "/x/id}", "{}", "{{id}}"] {
            assert_eq!(fill(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_path_of_one_order_has_the_id_before_its_query() {
        for (path, is_of_one, segment) in [
            ("/po/{id}", true, Some("po")),
            ("/po/{id}?x=1", true, Some("po")),
            ("/po('{id}')", true, None),
            ("/carts/{id}/orders", true, Some("orders")),
            ("/po?ref={id}", false, Some("po")),
            ("/po/{number}?ref={id}", false, Some("po")),
            ("/", false, None),
        ] {
            let template = Template::parse_path(path).unwrap();
            assert_eq!(template.is_of_one_order(), is_of_one, "{path}");
            assert_eq!(template.last_constant_segment().as_deref(), segment, "{path}");
        }
    }

    #[test]
    fn only_a_placeholder_names_an_order() {
        let names = |text: &str| Template::parse(text).unwrap().names_an_order();
        assert!(names("{id}") && names("x{number}") && !names("") && !names("/purchase-orders"));
    }
}
