package view

// FromNow is fromNow.
var FromNow = fromNow
