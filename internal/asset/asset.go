// Package asset serves the files that pages load, at addresses that change with
// their content: a browser that has one need not ask for it again.
package asset

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
)

// Files are the stylesheets, scripts and icons of pages.
type Files struct {
	at    string // what their addresses begin with
	files map[string]file
}

type file struct {
	data    []byte
	kind    string
	version string // of its content
}

// kinds are the media types of what a page loads.
var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// Read reads those that are in a folder of tree. Their addresses begin with at.
func Read(tree fs.FS, folder, at string) (*Files, error) {
	f := &Files{at, map[string]file{}}
	all, err := fs.ReadDir(tree, folder)
	if err != nil {
		return nil, err
	}
	for _, entry := range all {
		kind, ok := kinds[path.Ext(entry.Name())]
		if !ok {
			continue
		}
		data, err := fs.ReadFile(tree, path.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		f.files[entry.Name()] = file{data, kind, hex.EncodeToString(sum[:6])}
	}
	return f, nil
}

// Address is where a file is.
func (f *Files) Address(name string) string { return f.at + name + "?v=" + f.files[name].version }

// Serve writes a file, and reports whether there is one.
func (f *Files) Serve(w http.ResponseWriter, name string) bool {
	one, ok := f.files[name]
	if !ok {
		return false
	}
	w.Header().Set("Content-Type", one.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(one.data) // whoever does not read it asks again
	return true
}
