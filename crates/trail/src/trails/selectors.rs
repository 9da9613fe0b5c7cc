//! Event selectors: filters of the events of a trail.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Error;

/// The selectors of a trail; stored as JSON, or as an empty text for the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Selectors {
    /// The default of a trail: all management events.
    #[default]
    All,
    /// `EventSelectors`: an event is selected if one of them selects it.
    Basic(Vec<Basic>),
    /// `AdvancedEventSelectors`: an event is selected if one of them selects it.
    Advanced(Vec<Advanced>),
}

/// An `EventSelector`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Basic {
    /// `ReadOnly`, `WriteOnly` or `All`.
    pub(crate) read_write_type: String,
    pub(crate) include_management_events: bool,
    /// The resources whose data events are selected.
    pub(crate) data_resources: Vec<DataResource>,
    pub(crate) exclude_management_event_sources: Vec<String>,
}

/// A `DataResource`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DataResource {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    pub(crate) values: Vec<String>,
}

/// An `AdvancedEventSelector`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Advanced {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// An event is selected if all of them match.
    pub(crate) field_selectors: Vec<Field>,
}

/// A filter by a member of a record: one of the first three conditions must match, if there are any, and none of the last three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Field {
    #[serde(rename = "Field")]
    pub(crate) member: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) equals: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) starts_with: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ends_with: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) not_equals: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) not_starts_with: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) not_ends_with: Vec<String>,
}

impl Default for Basic {
    fn default() -> Self {
        Self {
            read_write_type: "All".to_owned(),
            include_management_events: true,
            data_resources: Vec::new(),
            exclude_management_event_sources: Vec::new(),
        }
    }
}

impl Selectors {
    /// Reads selectors of the store.
    pub(crate) fn read(stored: &str) -> Result<Self, Error> {
        if stored.is_empty() {
            return Ok(Self::All);
        }
        serde_json::from_str(stored).map_err(|_| Error::Damaged("the selectors of a trail cannot be read"))
    }

    /// Writes selectors for the store.
    pub(crate) fn stored(&self) -> String {
        match self {
            Self::All => String::new(),
            selectors => serde_json::to_string(selectors).expect("selectors consist of texts"),
        }
    }

    /// Tells whether an event is selected, by its record; only records of version 1.11 show whether it is a data event.
    pub(crate) fn select(&self, is_data: bool, record: &Value) -> bool {
        match self {
            Self::All => !is_data,
            Self::Basic(selectors) => selectors.iter().any(|selector| selector.selects(is_data, record)),
            Self::Advanced(selectors) => selectors
                .iter()
                .any(|selector| selector.field_selectors.iter().all(|field| field.matches(is_data, record))),
        }
    }
}

impl Basic {
    fn selects(&self, is_data: bool, record: &Value) -> bool {
        let is_read = record["readOnly"] == true;
        let has_type = match self.read_write_type.as_str() {
            "ReadOnly" => is_read,
            "WriteOnly" => !is_read,
            _ => true,
        };
        if is_data {
            return has_type && self.data_resources.iter().any(|resources| resources.match_record(record));
        }
        let source = record["eventSource"].as_str().unwrap_or_default();
        self.include_management_events
            && has_type
            && !self.exclude_management_event_sources.iter().any(|excluded| excluded == source)
    }
}

impl DataResource {
    /// Tells whether a record concerns a resource of the type whose ARN begins with one of the values; `arn:aws:s3` matches all buckets.
    fn match_record(&self, record: &Value) -> bool {
        let resources = record["resources"].as_array().into_iter().flatten();
        resources
            .filter(|resource| resource["type"] == self.kind)
            .filter_map(arn)
            .any(|arn| self.values.iter().any(|value| arn.starts_with(value.as_str())))
    }
}

/// Returns the ARN of a resource, or the common prefix of the ARNs of several.
fn arn(resource: &Value) -> Option<&str> {
    resource["ARN"].as_str().or_else(|| resource["ARNPrefix"].as_str())
}

impl Field {
    fn matches(&self, is_data: bool, record: &Value) -> bool {
        let values = values(is_data, record, &self.member);
        let any = |wanted: &[String], is: fn(&str, &str) -> bool| {
            values.iter().any(|value| wanted.iter().any(|wanted| is(value, wanted)))
        };
        let equal: fn(&str, &str) -> bool = |value, wanted| value == wanted;
        let starts: fn(&str, &str) -> bool = |value, wanted| value.starts_with(wanted);
        let ends: fn(&str, &str) -> bool = |value, wanted| value.ends_with(wanted);
        let is_open = self.equals.is_empty() && self.starts_with.is_empty() && self.ends_with.is_empty();
        let is_included =
            is_open || any(&self.equals, equal) || any(&self.starts_with, starts) || any(&self.ends_with, ends);
        let is_not_excluded =
            !any(&self.not_equals, equal) && !any(&self.not_starts_with, starts) && !any(&self.not_ends_with, ends);
        is_included && is_not_excluded
    }
}

/// Returns the values of a record for the field of a selector.
fn values<'a>(is_data: bool, record: &'a Value, field: &str) -> Vec<&'a str> {
    let one = |value: &'a Value| value.as_str().into_iter().collect();
    match field {
        "eventCategory" => vec![if is_data { "Data" } else { "Management" }],
        "readOnly" => vec![if record["readOnly"] == true { "true" } else { "false" }],
        "userIdentity.arn" => one(&record["userIdentity"]["arn"]),
        "sessionCredentialFromConsole" => vec![record[field].as_str().unwrap_or("false")],
        // A data event concerns its first resource, the object; the bucket beside it does not count.
        "resources.type" | "resources.ARN" => {
            let resources = record["resources"].as_array().into_iter().flatten();
            let resources = resources.take(if is_data { 1 } else { usize::MAX });
            let value = |resource| if field == "resources.ARN" { arn(resource) } else { resource["type"].as_str() };
            resources.filter_map(value).collect()
        }
        name => one(&record[name]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "eventSource": "codecommit.amazonaws.com", "eventName": "PutFile", "readOnly": false,
            "userIdentity": {"arn": "arn:aws:iam::111122223333:user/Mary_Major"},
            "resources": [{"ARN": "arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo", "type": "AWS::CodeCommit::Repository"}],
        })
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn takes(fields: &[Field]) -> bool {
        Selectors::Advanced(vec![Advanced { name: None, field_selectors: fields.to_vec() }]).select(false, &record())
    }

    #[test]
    fn basic_selectors_select_reads_or_writes_and_exclude_sources() {
        let basic = |read_write: &str, management, excluded: &[&str]| {
            let selector = Basic {
                read_write_type: read_write.to_owned(),
                include_management_events: management,
                data_resources: Vec::new(),
                exclude_management_event_sources: texts(excluded),
            };
            Selectors::Basic(vec![selector]).select(false, &record())
        };
        assert!(basic("All", true, &[]) && basic("WriteOnly", true, &["kms.amazonaws.com"]));
        assert!(!basic("ReadOnly", true, &[]));
        assert!(!basic("All", false, &[]));
        assert!(!basic("All", true, &["codecommit.amazonaws.com"]));
        assert!(!Selectors::Basic(Vec::new()).select(false, &record()), "no selector selects nothing");
    }

    #[test]
    fn all_fields_of_an_advanced_selector_must_match() {
        let equals = |field: &str, values: &[&str]| Field { equals: texts(values), ..named(field) };
        let management = equals("eventCategory", &["Management"]);
        assert!(takes(&[
            management.clone(),
            equals("readOnly", &["false"]),
            equals("eventName", &["GetFile", "PutFile"])
        ]));
        assert!(!takes(&[management.clone(), equals("readOnly", &["true"])]));
        assert!(!takes(&[management, equals("eventCategory", &["Data"])]));
        assert!(takes(&[equals("sessionCredentialFromConsole", &["false"])]));
    }

    fn named(field: &str) -> Field {
        Field { member: field.to_owned(), ..Field::default() }
    }

    #[test]
    fn operators_compare_whole_texts_beginnings_and_ends() {
        let field = |change: fn(&mut Field, Vec<String>), name: &str, values: &[&str]| {
            let mut field = named(name);
            change(&mut field, texts(values));
            takes(&[field])
        };
        let arn = "userIdentity.arn";
        assert!(field(|field, texts| field.starts_with = texts, arn, &["arn:aws:iam::1111"]));
        assert!(field(|field, texts| field.ends_with = texts, arn, &["Li_Juan", "Mary_Major"]));
        assert!(!field(|field, texts| field.not_ends_with = texts, arn, &["Li_Juan", "Mary_Major"]));
        assert!(!field(|field, texts| field.not_starts_with = texts, "resources.ARN", &["arn:aws:codecommit:"]));
        assert!(field(|field, texts| field.not_equals = texts, "resources.type", &["AWS::S3::Object"]));
        assert!(!field(|field, texts| field.not_equals = texts, "eventSource", &["codecommit.amazonaws.com"]));
        assert!(
            !field(|field, texts| field.equals = texts, "errorCode", &["AccessDenied"]),
            "the record has no error code"
        );
        assert!(field(|field, texts| field.not_equals = texts, "errorCode", &["AccessDenied"]));
    }

    /// The records of `GetObject` and `ListObjects` in version 1.05, which does not show the category.
    fn data_records() -> [Value; 2] {
        let bucket = json!({"ARN": "arn:aws:s3:::my-logs", "accountId": "111122223333", "type": "AWS::S3::Bucket"});
        [
            json!({
                "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "readOnly": true,
                "resources": [{"ARN": "arn:aws:s3:::my-logs/a/b", "type": "AWS::S3::Object"}, bucket],
            }),
            json!({
                "eventSource": "s3.amazonaws.com", "eventName": "ListObjects", "readOnly": true,
                "resources": [{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::my-logs/"}, bucket],
            }),
        ]
    }

    #[test]
    fn basic_selectors_select_data_events_by_the_beginning_of_the_arn() {
        let basic = |read_write: &str, kind: &str, values: &[&str]| {
            let data_resources = vec![DataResource { kind: kind.to_owned(), values: texts(values) }];
            let selector = Basic { read_write_type: read_write.to_owned(), data_resources, ..Basic::default() };
            data_records().map(|record| Selectors::Basic(vec![selector.clone()]).select(true, &record))
        };
        let object = "AWS::S3::Object";
        assert_eq!(basic("All", object, &["arn:aws:s3"]), [true, true]);
        assert_eq!(basic("ReadOnly", object, &["arn:aws:s3:::other/", "arn:aws:s3:::my-logs/"]), [true, true]);
        assert_eq!(basic("All", object, &["arn:aws:s3:::my-logs/a"]), [true, false]);
        assert_eq!(basic("WriteOnly", object, &["arn:aws:s3"]), [false, false]);
        assert_eq!(basic("All", object, &["arn:aws:s3:::my-log/"]), [false, false]);
        assert_eq!(basic("All", "AWS::Lambda::Function", &["arn:aws:s3"]), [false, false]);
        let [get, _] = data_records();
        assert!(!Selectors::All.select(true, &get) && !Selectors::Basic(vec![Basic::default()]).select(true, &get));
    }

    #[test]
    fn advanced_selectors_select_data_events_by_category_and_resource() {
        let equals = |field: &str, value: &str| Field { equals: texts(&[value]), ..named(field) };
        let data = || vec![equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object")];
        let takes = |fields: Vec<Field>| {
            data_records().map(|record| {
                Selectors::Advanced(vec![Advanced { name: None, field_selectors: fields.clone() }])
                    .select(true, &record)
            })
        };
        assert_eq!(takes(data()), [true, true]);
        assert_eq!(takes([data(), vec![equals("readOnly", "false")]].concat()), [false, false]);
        assert_eq!(takes([data(), vec![equals("eventName", "GetObject")]].concat()), [true, false]);
        let prefix = Field { starts_with: texts(&["arn:aws:s3:::my-logs/a/"]), ..named("resources.ARN") };
        assert_eq!(takes([data(), vec![prefix]].concat()), [true, false]);
        let not_the_bucket = Field { not_starts_with: texts(&["arn:aws:s3:::my-logs/"]), ..named("resources.ARN") };
        assert_eq!(takes([data(), vec![not_the_bucket]].concat()), [false, false]);
        assert_eq!(takes(vec![equals("eventCategory", "Management")]), [false, false]);
        assert_eq!(
            takes(vec![equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Bucket")]),
            [false, false]
        );
        let all = Selectors::Advanced(vec![Advanced { name: None, field_selectors: data() }]);
        assert!(!all.select(false, &record()), "management events are another category");
    }

    #[test]
    fn selectors_read_back_as_they_were_stored() {
        assert_eq!(Selectors::read("").expect("an empty text is the default"), Selectors::All);
        let selectors = Selectors::Advanced(vec![Advanced {
            name: Some("x".to_owned()),
            field_selectors: vec![named("readOnly")],
        }]);
        assert_eq!(Selectors::read(&selectors.stored()).expect("the text was written by `stored`"), selectors);
    }
}
