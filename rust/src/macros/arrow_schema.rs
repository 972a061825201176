// SPDX-License-Identifier: MIT

// arrow-rs's own conversions import and export schemas. Before them, this code checks for
// what would make them panic or lose something; after them, it repairs the result.
#[doc(hidden)]
#[macro_export]
macro_rules! __arrow_schema {
    () => {
        // SAFETY (of the call): the schema is valid.
        unsafe fn import_schema(schema: &ArrowSchema) -> Result<SchemaRef, Error> {
            // SAFETY: FFI_ArrowSchema is the same C struct, and is only borrowed.
            let schema = unsafe {
                $crate::check_texts(schema)?;
                $crate::check_dictionaries(schema)?;
                &*(&raw const *schema).cast::<FFI_ArrowSchema>()
            };
            Ok(Arc::new(Schema::try_from(schema).map_err(not_held)?))
        }

        fn not_held(error: impl std::error::Error) -> Error {
            let text = format!("arrow-rs cannot hold the schema: {error}");
            Error::new($crate::Code::Unsupported, text)
        }

        fn export_schema(schema: &Schema) -> Result<OwnedSchema, Error> {
            let exported = own_schema(FFI_ArrowSchema::try_from(schema)?)?;
            let mut raw = exported.into_raw();
            // SAFETY: the schema was made here, of these fields.
            let repaired = unsafe {
                sort_metadata(&mut raw, schema.metadata().iter())
                    .and_then(|()| repair_fields(&raw, schema.fields()))
            };
            // SAFETY: as above; after a failure too, the schema is whole and must be released.
            let exported = unsafe { OwnedSchema::from_raw(raw) };
            repaired.map(|()| exported)
        }

        // Up to arrow 59 the order of the metadata is random, but the schema of a function
        // must be the same each time.
        unsafe fn sort_metadata<'a>(
            schema: &mut ArrowSchema,
            metadata: impl Iterator<Item = (&'a String, &'a String)>,
        ) -> Result<(), Error> {
            let mut pairs: Vec<_> = metadata.collect();
            if pairs.is_sorted() {
                return Ok(());
            }
            pairs.sort_unstable();
            // SAFETY: FFI_ArrowSchema is the same C struct, and arrow-rs made it.
            unsafe {
                let schema = &mut *(&raw mut *schema).cast::<FFI_ArrowSchema>();
                let taken = std::mem::replace(schema, FFI_ArrowSchema::empty());
                *schema = taken.with_metadata(pairs)?;
            }
            Ok(())
        }

        unsafe fn repair_fields(
            schema: &ArrowSchema,
            fields: &Fields,
        ) -> Result<(), Error> {
            for (index, field) in fields.iter().enumerate() {
                // SAFETY: the schema has a child for each field.
                unsafe { repair_field(&mut **schema.children.add(index), field)? };
            }
            Ok(())
        }

        unsafe fn repair_field(
            schema: &mut ArrowSchema,
            field: &Field,
        ) -> Result<(), Error> {
            // SAFETY: the children of the schema are those of the type.
            unsafe {
                sort_metadata(schema, field.metadata().iter())?;
                repair_type(schema, field.data_type())
            }
        }

        unsafe fn repair_type(
            schema: &mut ArrowSchema,
            data_type: &DataType,
        ) -> Result<(), Error> {
            // SAFETY: as above.
            unsafe {
                match data_type {
                    DataType::Map(entries, is_sorted) => {
                        // Up to arrow 59 the export of a field loses this flag.
                        if *is_sorted {
                            schema.flags |= $crate::abi::FLAG_MAP_KEYS_SORTED;
                        }
                        repair_field(&mut **schema.children, entries)
                    }
                    DataType::List(item)
                    | DataType::LargeList(item)
                    | DataType::ListView(item)
                    | DataType::LargeListView(item)
                    | DataType::FixedSizeList(item, _) => {
                        repair_field(&mut **schema.children, item)
                    }
                    DataType::Struct(fields) => repair_fields(schema, fields),
                    DataType::Union(fields, _) => {
                        for (index, (_, field)) in fields.iter().enumerate() {
                            repair_field(&mut **schema.children.add(index), field)?;
                        }
                        Ok(())
                    }
                    DataType::RunEndEncoded(ends, values) => {
                        repair_field(&mut **schema.children, ends)?;
                        repair_field(&mut **schema.children.add(1), values)
                    }
                    DataType::Dictionary(_, values) => {
                        repair_type(&mut *schema.dictionary, values)
                    }
                    _ => Ok(()),
                }
            }
        }

        fn own_schema(schema: FFI_ArrowSchema) -> Result<OwnedSchema, Error> {
            // SAFETY: FFI_ArrowSchema is the same C struct, and is moved over.
            unsafe {
                let schema = std::mem::ManuallyDrop::new(schema);
                let raw = (&raw const *schema).cast::<ArrowSchema>().read();
                Ok(OwnedSchema::from_raw(raw))
            }
        }
    };
}
