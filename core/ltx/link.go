package ltx

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A site is where people copy links from that are not those of files.
type site struct {
	// hosts are its names. They stand for all below them as well.
	hosts []string
	// allowed is the host that must be allowed for its links; empty = nothing on
	// it can be used, whatever is allowed.
	allowed string
	// file makes a link that of the file. It returns the repository instead,
	// where the link is that of its page, or what is wrong with the link.
	file func(u *url.URL) (repo string, p Problem)
	// other is what a Problem of it tells as Other; empty = its first host.
	other string
}

// The hosts whose links are made anew.
const (
	huggingFace  = "huggingface.co"
	civitai      = "civitai.com"
	gitHub       = "github.com"
	dropbox      = "dropbox.com"
	modelScope   = "modelscope.cn"
	modelScopeAI = "modelscope.ai"
)

// sites are those whose links are not sent as they are. The first one with the
// host is it.
var sites = []site{
	// What a download is redirected to ends within hours.
	{hosts: []string{
		"cdn-lfs.huggingface.co", "cdn-lfs-us-1.huggingface.co", "cdn-lfs-eu-1.huggingface.co", "xethub.hf.co", "cdn-lfs.hf.co", "cdn-lfs-us-1.hf.co", "cdn-lfs-eu-1.hf.co",
		"r2.cloudflarestorage.com", "b2.civitai.com", "delivery.civitai.com", "objects.githubusercontent.com", "release-assets.githubusercontent.com",
	}, file: always(LoRATemporary)},
	{hosts: []string{huggingFace, "hf.co", "hf-mirror.com"}, allowed: huggingFace, file: huggingFaceFile},
	{hosts: []string{civitai, "civitai.red"}, allowed: civitai, file: civitaiFile},
	{hosts: []string{modelScope}, allowed: modelScope, file: modelScopeFile},
	{hosts: []string{modelScopeAI}, allowed: modelScopeAI, file: modelScopeFile},
	{hosts: []string{gitHub}, allowed: gitHub, file: gitHubFile},
	{hosts: []string{"raw.githubusercontent.com", "media.githubusercontent.com"}, allowed: gitHub, file: rawGitHubFile},
	{hosts: []string{dropbox, "dropboxusercontent.com"}, allowed: dropbox, file: dropboxFile},
	{hosts: []string{"fal.ai"}, file: always(LoRAPage)},
	// These show a page before a large file, or ask who one is.
	{hosts: []string{"drive.google.com", "docs.google.com", "drive.usercontent.google.com"}, file: always(LoRANoDownload), other: "Google Drive"},
	{hosts: []string{"1drv.ms", "onedrive.live.com", "sharepoint.com"}, file: always(LoRANoDownload), other: "OneDrive"},
	{hosts: []string{"icloud.com"}, file: always(LoRANoDownload), other: "iCloud"},
	{hosts: []string{"mega.nz", "mega.io"}, file: always(LoRANoDownload), other: "MEGA"},
	{hosts: []string{"mediafire.com"}, file: always(LoRANoDownload), other: "MediaFire"},
	{hosts: []string{"wetransfer.com", "we.tl"}, file: always(LoRANoDownload), other: "WeTransfer"},
	{hosts: []string{"pan.baidu.com", "pan.quark.cn", "terabox.com"}, file: always(LoRANoDownload)},
	{hosts: []string{"cdn.discordapp.com", "media.discordapp.net"}, file: always(LoRANoDownload), other: "Discord"},
	{hosts: []string{"slack.com", "slack-files.com"}, file: always(LoRANoDownload), other: "Slack"},
}

func always(p Problem) func(*url.URL) (string, Problem) {
	return func(*url.URL) (string, Problem) { return "", p }
}

// ofSite are the problems that say what to do on a site.
var ofSite = []Problem{LoRACivitaiPage, LoRAPage, LoRAFolder, LoRATemporary, LoRANoDownload}

// siteOf is the site of a host; nil for a host of files only.
func siteOf(host string) *site {
	at := slices.IndexFunc(sites, func(s site) bool {
		return slices.ContainsFunc(s.hosts, func(domain string) bool { return below(host, domain) })
	})
	if at < 0 {
		return nil
	}
	return &sites[at]
}

// named is what a problem of the site tells of it.
func (s site) named() string {
	if s.other != "" {
		return s.other
	}
	return s.hosts[0]
}

// segments are the parts of a link's path, decoded. None is empty, "." or "..".
func segments(u *url.URL) []string {
	return slices.DeleteFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "" || s == "." })
}

// moveTo makes the link one of a host with this escaped path, and no query.
func moveTo(u *url.URL, host, escaped string) Problem {
	decoded, err := url.PathUnescape(escaped)
	if err != nil {
		return LoRAMalformed
	}
	u.Host, u.Path, u.RawPath, u.RawQuery = host, decoded, escaped, ""
	return ""
}

// tail is the escaped path of a link behind its first n parts.
func tail(u *url.URL, n int) string {
	parts := slices.DeleteFunc(strings.Split(u.EscapedPath(), "/"), func(s string) bool { return s == "" || s == "." })
	return strings.Join(parts[min(n, len(parts)):], "/")
}

// isWeights reports whether a path is that of a file of tensors.
func isWeights(name string) bool { return strings.EqualFold(path.Ext(name), ".safetensors") }

// notOfRepo are the first parts of paths at Hugging Face that are no owner's.
var notOfRepo = []string{"spaces", "collections", "papers", "models", "posts", "docs", "blog", "settings", "login", "join", "organizations", "api"}

// aboutRepo are the pages of a repository that are about all of it.
var aboutRepo = []string{"tree", "discussions", "commits", "commit", "settings", "activity"}

// huggingFaceFile reads the links of the Hub.
// https://huggingface.co/docs/hub/models-downloading
func huggingFaceFile(u *url.URL) (string, Problem) {
	u.Host = huggingFace
	parts, kind := segments(u), ""
	if len(parts) > 3 && parts[0] == "api" && parts[1] == "models" {
		return repoNamed(parts[2], parts[3])
	}
	if len(parts) > 0 && parts[0] == "datasets" {
		kind, parts = "datasets/", parts[1:]
	}
	if len(parts) < 2 || kind == "" && slices.Contains(notOfRepo, parts[0]) {
		return "", LoRAPage
	}
	repo := kind + (&url.URL{Path: parts[0]}).EscapedPath() + "/" + (&url.URL{Path: parts[1]}).EscapedPath()
	if file := u.Query().Get("show_file_info"); isWeights(file) { // the panel of a file in the list
		return "", moveTo(u, huggingFace, "/"+repo+"/resolve/main/"+(&url.URL{Path: strings.TrimPrefix(file, "/")}).EscapedPath())
	}
	skip := len(segments(u)) - len(parts) + 3 // what stands before the version
	switch {
	case len(parts) == 2, len(parts) == 3 && slices.Contains(aboutRepo, parts[2]), len(parts) > 3 && parts[2] != "tree" && slices.Contains(aboutRepo, parts[2]),
		len(parts) == 4 && parts[2] == "tree" && parts[3] == "main":
		if kind != "" {
			return "", LoRAPage
		}
		return repoNamed(parts[0], parts[1])
	case parts[2] == "tree":
		return "", LoRAFolder
	case parts[2] == "blob", parts[2] == "raw":
		query := u.RawQuery
		p := moveTo(u, huggingFace, "/"+repo+"/resolve/"+tail(u, skip))
		u.RawQuery = query
		return "", p
	case parts[2] != "resolve" && isWeights(u.Path): // a path as programs write it
		return "", moveTo(u, huggingFace, "/"+repo+"/resolve/main/"+tail(u, skip-1))
	}
	return "", ""
}

// repoNamed is the repository of a page.
func repoNamed(owner, name string) (string, Problem) {
	repo := owner + "/" + strings.TrimSuffix(name, ".git")
	if !isRepo(repo) {
		return "", LoRAPage
	}
	return repo, ""
}

var (
	// civitaiVersion are the paths of a version of a model, by its number.
	// https://github.com/civitai/civitai/wiki/REST-API-Reference
	civitaiVersion = regexp.MustCompile(`^/(?:api/download/models|api/v1/model-versions|model-versions)/([0-9]+)/?$`)
	// civitaiPage is the page of a model.
	civitaiPage = regexp.MustCompile(`^/models/[0-9]+(?:/[^/]*)?/?$`)
	digits      = regexp.MustCompile(`^[0-9]+$`)
	// air is the name of a version as Civitai's pages show it.
	// https://github.com/civitai/civitai/wiki/AIR-%E2%80%90-Uniform-Resource-Names-for-AI
	air = regexp.MustCompile(`(?i)^(?:urn:)?(?:air:[a-z0-9_.-]+:lora:)?civitai:[0-9]+@([0-9]+)(@[0-9.]+)?$`)
)

// civitaiFile reads the links of Civitai. A page that names the version is that
// of one file.
func civitaiFile(u *url.URL) (string, Problem) {
	u.Host = civitai
	if m := civitaiVersion.FindStringSubmatch(u.Path); m != nil {
		query := u.RawQuery
		p := moveTo(u, civitai, "/api/download/models/"+m[1])
		u.RawQuery = query
		return "", p
	}
	version, token := u.Query().Get("modelVersionId"), u.Query().Get("token")
	if !civitaiPage.MatchString(u.Path) || !digits.MatchString(version) {
		return "", LoRACivitaiPage
	}
	p := moveTo(u, civitai, "/api/download/models/"+version)
	if token != "" {
		u.RawQuery = url.Values{"token": {token}}.Encode()
	}
	return "", p
}

// lacksToken reports whether Civitai may refuse a download for want of a token.
func lacksToken(file string) bool {
	u, err := url.Parse(file)
	return err == nil && u.Host == civitai && !u.Query().Has("token")
}

// modelScopeFile reads the links of ModelScope.
// https://modelscope.cn/docs/models/download
func modelScopeFile(u *url.URL) (string, Problem) {
	u.Host = strings.TrimPrefix(u.Host, "www.")
	parts := segments(u)
	if query := u.Query(); len(parts) == 6 && parts[0] == "api" && parts[2] == "models" && parts[5] == "repo" && isWeights(query.Get("FilePath")) {
		version := (&url.URL{Path: query.Get("Revision")}).EscapedPath()
		if version == "" {
			version = "master"
		}
		file := (&url.URL{Path: query.Get("FilePath")}).EscapedPath()
		return "", moveTo(u, u.Host, "/models/"+parts[3]+"/"+parts[4]+"/resolve/"+version+"/"+file)
	}
	switch {
	case len(parts) > 6 && parts[0] == "models" && parts[3] == "file" && parts[4] == "view":
		file := "/" + strings.Join(strings.Split(u.EscapedPath(), "/")[1:4], "/") + "/resolve/" + tail(u, 5)
		return "", moveTo(u, u.Host, file)
	case len(parts) > 5 && parts[0] == "models" && parts[3] == "resolve":
		return "", ""
	case len(parts) > 2 && parts[0] == "models":
		return "", LoRAFolder
	}
	return "", LoRAPage
}

// gitHubFile reads the links of GitHub. A file that Git keeps as a pointer is
// handed out under /raw/.
func gitHubFile(u *url.URL) (string, Problem) {
	u.Host = gitHub
	parts := segments(u)
	switch {
	case len(parts) > 4 && parts[2] == "blob":
		return "", moveTo(u, gitHub, "/"+parts[0]+"/"+parts[1]+"/raw/"+tail(u, 3))
	case len(parts) > 4 && (parts[2] == "raw" || parts[2] == "releases" && parts[3] == "download"):
		return "", ""
	case len(parts) > 2 && parts[2] == "tree":
		return "", LoRAFolder
	}
	return "", LoRAPage
}

// rawGitHubFile makes a link to the bytes in Git, which may be a pointer, one to
// the file. A token in it is that of a private repository, and of today.
func rawGitHubFile(u *url.URL) (string, Problem) {
	skip := 0
	if strings.HasPrefix(u.Host, "media.") {
		skip = 1 // "media"
	}
	parts := segments(u)
	switch {
	case u.RawQuery != "":
		return "", LoRATemporary
	case len(parts) < skip+4:
		return "", LoRAMalformed
	}
	return "", moveTo(u, gitHub, "/"+parts[skip]+"/"+parts[skip+1]+"/raw/"+tail(u, skip+2))
}

// dropboxFile reads the links that Dropbox shares: dl=1 asks for the file.
// https://help.dropbox.com/share/force-download
func dropboxFile(u *url.URL) (string, Problem) {
	parts := segments(u)
	switch {
	case len(parts) > 0 && parts[0] == "sh", len(parts) > 1 && parts[0] == "scl" && parts[1] == "fo":
		return "", LoRAFolder
	case len(parts) == 0, parts[0] != "s" && parts[0] != "scl":
		return "", LoRAPage
	}
	if query := u.Query(); query.Get("dl") != "1" && !below(u.Host, "dropboxusercontent.com") {
		query.Del("raw")
		query.Set("dl", "1")
		u.RawQuery = query.Encode()
	}
	return "", ""
}

// Ends returns when the link to the LoRA stops working, where the link says so:
// it is signed for a time.
func (l LoRA) Ends() (time.Time, bool) {
	u, err := url.Parse(l.Path)
	if err != nil || u.RawQuery == "" {
		return time.Time{}, false
	}
	query := map[string]string{}
	for key, values := range u.Query() {
		query[strings.ToLower(key)] = values[0]
	}
	// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
	// https://cloud.google.com/storage/docs/authentication/signatures
	for _, prefix := range []string{"x-amz-", "x-goog-"} {
		begins, err := time.Parse("20060102T150405Z", query[prefix+"date"])
		seconds, wrong := strconv.ParseInt(query[prefix+"expires"], 10, 32)
		if err == nil && wrong == nil {
			return begins.Add(time.Duration(seconds) * time.Second), true
		}
	}
	// https://learn.microsoft.com/rest/api/storageservices/create-service-sas
	if query["sig"] != "" {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", time.DateOnly} {
			if end, err := time.Parse(layout, query["se"]); err == nil {
				return end, true
			}
		}
	}
	// Older signatures, and those of CloudFront and Alibaba.
	if query["signature"] != "" {
		if seconds, err := strconv.ParseInt(query["expires"], 10, 64); err == nil && seconds > 0 && seconds < 1<<40 {
			return time.Unix(seconds, 0), true
		}
	}
	return time.Time{}, false
}

// clock writes a time for a person whose time zone is not known.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
