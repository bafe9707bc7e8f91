//! The cart, field by field: what the default mapping reads, and the standard fields around it.
//!
//! Every section is open: a customer's fields (`ZZ_…`) and further sections need nothing but a row in the mapping sheet.

mod fields;

use serde_json::{Value, json};

use super::operations::{component, member, reference};
use fields::{Field, Form, SECTIONS, Section, Usage};

/// Replaces the schema of a cart, and adds one for each of its sections.
pub fn add(document: &mut Value) {
    let mut properties = json!({});
    for section in SECTIONS {
        *component(document, "schemas", section.schema) = row(section);
        let reference = reference("schemas", section.schema);
        // In 3.0, nothing stands beside a reference.
        *member(&mut properties, section.name) = if section.is_list {
            json!({ "type": "array", "description": section.description, "items": reference })
        } else {
            json!({ "description": section.description, "allOf": [reference] })
        };
    }
    *component(document, "schemas", "Cart") = json!({
        "type": "object",
        "description": "An approved shopping cart (BUS2121), as SRM serializes it. The names are SAP's; the spellings of `/ui2/cl_json` \
            (`OBJECT_ID`, `objectId`, `ObjectId`) are taken as well, and so is the cart inside of one object \
            (`{\"CART\":{…}}`, `{\"d\":{…}}`) or as a list of one. A list may come as `{\"item\":[…]}`, `{\"results\":[…]}` or, with one row, \
            as the row itself. A missing field, null and the initial value mean the same. \
            Every section is open: fields that the mapping sheet does not name are ignored, and those that it names \
            are used, customer fields (`ZZ_…`) among them. What is marked mandatory is so by the default mapping; the live sheet of a service \
            may differ.",
        "required": ["HEADER", "ITEM"],
        "properties": properties,
        "additionalProperties": true,
    });
}

fn row(section: &Section) -> Value {
    let mut properties = json!({});
    for field in section.fields {
        *member(&mut properties, field.name) = schema(field);
    }
    json!({
        "type": "object",
        "description": format!("A row of {}. {}", section.name, section.structure),
        "properties": properties,
        "additionalProperties": true,
    })
}

fn schema(field: &Field) -> Value {
    let usage = match field.usage {
        Usage::Mandatory => " Mandatory by the default mapping.",
        Usage::Mapped => "",
        Usage::ByItself => " Read whatever the mapping says.",
        Usage::Unused => " Not used by the default mapping.",
    };
    let description = format!("{} SAP type: {}.{usage}", field.meaning, field.sap_type);
    let mut schema = match field.form {
        Form::Text => json!({ "type": "string" }),
        Form::Digits => json!({ "type": ["string", "integer"] }),
        Form::Decimal => json!({ "type": ["number", "string"], "format": "decimal" }),
        Form::Flag => json!({ "type": ["string", "boolean"] }),
    };
    *member(&mut schema, "description") = Value::from(description);
    if let Form::Digits | Form::Decimal = field.form {
        // An example of the type that `/ui2/cl_json` writes.
        let number = serde_json::from_str(field.example).unwrap_or_else(|_| Value::from(field.example));
        *member(&mut schema, "example") = number;
    } else {
        *member(&mut schema, "example") = Value::from(field.example);
    }
    schema
}

#[cfg(test)]
mod tests;
