package config

import "reflect"

// Changed names the keys that a and b differ in, in the order of the manual:
// "quota.member.videos_per_day". A list of tables that is longer in one of
// them is named as a whole: "quota.tier".
func Changed(a, b Config) []string {
	values := func(c Config) (keys []string, of map[string]any) {
		of = map[string]any{}
		walk("", reflect.ValueOf(&c).Elem(), func(f field) {
			v := f.value.Interface()
			if s, ok := v.(Secret); ok {
				v = s.Reveal()
			}
			keys = append(keys, f.key)
			of[f.key] = v
		})
		return keys, of
	}
	keysA, inA := values(a)
	keysB, inB := values(b)
	var changed []string
	note := func(key string) {
		if n := len(changed); n == 0 || changed[n-1] != key {
			changed = append(changed, key)
		}
	}
	for _, key := range keysA {
		switch v, ok := inB[key]; {
		case !ok:
			note(listOf(key))
		case !equal(inA[key], v):
			note(key)
		}
	}
	for _, key := range keysB {
		if _, ok := inA[key]; !ok {
			note(listOf(key))
		}
	}
	return changed
}

// listOf is the list of tables that a key is in: "quota.tier[2].name" →
// "quota.tier".
func listOf(key string) string {
	for i := range key {
		if key[i] == '[' {
			return key[:i]
		}
	}
	return key
}

// equal compares two values; an empty list is as good as none.
func equal(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Kind() == reflect.Slice && x.Len() == 0 && y.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a, b)
}
