// Package deploy_test reads the files in deploy/ as strictly as what they are
// for does: the Compose file by Compose's own schema, the Kubernetes manifests
// by the types of the API. It is a module of its own, so that the bot has none
// of these dependencies.
package deploy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// user is who the image runs as.
const user = 10001

func TestComposeFile(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithInterpolation(true), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bot, redis := project.Services["bot"], project.Services["redis"]
	if !bot.ReadOnly || !redis.ReadOnly {
		t.Error("a root file system can be written to")
	}
	if len(bot.Ports) != 1 || bot.Ports[0].HostIP != "127.0.0.1" {
		t.Errorf("the bot is published at %v, want this machine only", bot.Ports)
	}
	if len(redis.Ports) != 0 {
		t.Error("Redis is published")
	}
	for _, want := range []string{"--appendonly yes", "--maxmemory-policy noeviction"} {
		if !strings.Contains(strings.Join(redis.Command, " "), want) {
			t.Errorf("Redis runs without %s", want)
		}
	}
	config, err := os.ReadFile("../compose.toml")
	if err != nil {
		t.Fatal(err)
	}
	for name := range project.Secrets {
		if !bytes.Contains(config, []byte("file:/run/secrets/"+name)) {
			t.Errorf("the config does not use the secret %s", name)
		}
	}
}

// read decodes a manifest; a field that the API does not have is an error.
func read[T any](t *testing.T, file string) T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../kubernetes", file))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := yaml.UnmarshalStrict(data, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

func TestKubernetesManifests(t *testing.T) {
	d := read[appsv1.Deployment](t, "deployment.yaml")
	s := read[corev1.Service](t, "service.yaml")
	b := read[policyv1.PodDisruptionBudget](t, "poddisruptionbudget.yaml")
	n := read[networkingv1.NetworkPolicy](t, "networkpolicy.yaml")
	for _, kind := range []struct {
		got  metav1.TypeMeta
		want string
	}{
		{d.TypeMeta, "apps/v1 Deployment"},
		{s.TypeMeta, "v1 Service"},
		{b.TypeMeta, "policy/v1 PodDisruptionBudget"},
		{n.TypeMeta, "networking.k8s.io/v1 NetworkPolicy"},
	} {
		if got := kind.got.APIVersion + " " + kind.got.Kind; got != kind.want {
			t.Errorf("kind = %s, want %s", got, kind.want)
		}
	}
	labels := d.Spec.Template.Labels
	for name, selector := range map[string]map[string]string{
		"deployment": d.Spec.Selector.MatchLabels, "service": s.Spec.Selector,
		"budget": b.Spec.Selector.MatchLabels, "network policy": n.Spec.PodSelector.MatchLabels,
	} {
		for k, v := range selector {
			if labels[k] != v {
				t.Errorf("the %s selects other pods: %s=%s", name, k, v)
			}
		}
	}
	pod := d.Spec.Template.Spec
	if *d.Spec.Replicas != 2 || b.Spec.MinAvailable.IntValue() != 1 {
		t.Error("an eviction can stop the bot")
	}
	if *pod.TerminationGracePeriodSeconds < 15 {
		t.Error("a pod is killed before it has saved what is under way")
	}
	if !*pod.SecurityContext.RunAsNonRoot || *pod.SecurityContext.RunAsUser != user {
		t.Error("the pod does not run as the image's user")
	}
	c := pod.Containers[0]
	if !*c.SecurityContext.ReadOnlyRootFilesystem || *c.SecurityContext.AllowPrivilegeEscalation {
		t.Error("the container may do more than it needs")
	}
	for name, probe := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe} {
		if probe.HTTPGet.Path != "/readyz" {
			t.Errorf("the %s probe asks %s", name, probe.HTTPGet.Path)
		}
	}
	if c.LivenessProbe.HTTPGet.Path != "/healthz" {
		t.Errorf("the liveness probe asks %s", c.LivenessProbe.HTTPGet.Path)
	}
	for _, m := range c.VolumeMounts {
		if !slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name }) {
			t.Errorf("there is no volume %s", m.Name)
		}
	}
}

func TestKustomizationNamesEveryManifest(t *testing.T) {
	k := read[struct {
		metav1.TypeMeta    `json:",inline"`
		Namespace          string   `json:"namespace"`
		Resources          []string `json:"resources"`
		ConfigMapGenerator []struct {
			Name  string   `json:"name"`
			Files []string `json:"files"`
		} `json:"configMapGenerator"`
		Images []map[string]string `json:"images"`
	}](t, "kustomization.yaml")
	files, err := filepath.Glob("../kubernetes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := filepath.Base(f); name != "kustomization.yaml" && !slices.Contains(k.Resources, name) {
			t.Errorf("%s is not applied", name)
		}
	}
	if len(files) != len(k.Resources)+1 {
		t.Errorf("%d manifests for %d resources", len(files)-1, len(k.Resources))
	}
}

var secretFile = regexp.MustCompile(`(?m)^[^#\n]*"file:[^"]*/([a-z_]+)"`)

// Each way of running the bot has the operator's token, and its instructions
// make every secret that its config names.
func TestInstructionsMakeEverySecret(t *testing.T) {
	for config, instructions := range map[string]string{
		"compose.toml": "compose.yaml", "systemd.toml": "ltxbot.service", "kubernetes/ltx.toml": "kubernetes/kustomization.yaml",
	} {
		text, err := os.ReadFile(filepath.Join("..", config))
		if err != nil {
			t.Fatal(err)
		}
		said, err := os.ReadFile(filepath.Join("..", instructions))
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := bytes.Cut(said, []byte("\n\n"))
		if !bytes.Contains(text, []byte("\nadmin_token = \"file:")) {
			t.Errorf("%s has no admin_token", config)
		}
		for _, secret := range secretFile.FindAllSubmatch(text, -1) {
			if made := regexp.MustCompile(`(?m)^#.*[/=]` + string(secret[1]) + `\b`); !made.Match(head) {
				t.Errorf("the head of %s does not make %s", instructions, secret[1])
			}
		}
	}
}

// A crash of a Go program ends with 2, as a wrong config does: no status may
// keep the service from being started again.
func TestServiceIsStartedAgainAfterACrash(t *testing.T) {
	unit, err := os.ReadFile("../ltxbot.service")
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for line := range strings.Lines(string(unit)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			settings[key] = value
		}
	}
	if restart := settings["Restart"]; restart != "on-failure" && restart != "always" {
		t.Errorf("Restart=%s", restart)
	}
	for _, key := range []string{"RestartPreventExitStatus", "SuccessExitStatus"} {
		if v, set := settings[key]; set {
			t.Errorf("%s=%s", key, v)
		}
	}
}
