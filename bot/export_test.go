package bot

// TypedLine is typedLine.
var TypedLine = typedLine
