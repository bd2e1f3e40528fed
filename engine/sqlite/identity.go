package sqlite

const identitySchema = ""
