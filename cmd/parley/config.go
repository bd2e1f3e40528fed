package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/urfave/cli/v3"
)

// configFile is the optional TOML file. It is read once, when the first setting asks for it.
type configFile struct {
	path   string
	values map[string]string
	err    error
}

// readConfig reads the file named by --config or PARLEY_CONFIG among the arguments. It is looked for before the flags
// are parsed, because they take their values from it.
func readConfig(args []string) *configFile {
	f := &configFile{path: os.Getenv("PARLEY_CONFIG")}
	for i, a := range args {
		name, value, joined := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if !strings.HasPrefix(a, "-") || name != "config" {
			continue
		}
		if joined {
			f.path = value
		} else if i+1 < len(args) {
			f.path = args[i+1]
		}
	}
	if f.path != "" {
		f.values, f.err = parseConfig(f.path)
	}
	return f
}

func parseConfig(path string) (map[string]string, error) {
	var raw map[string]any
	if _, err := toml.DecodeFile(path, &raw); err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	known := map[string]bool{}
	for _, s := range allSettings() {
		known[s.name] = true
	}
	values := map[string]string{}
	for name, v := range raw {
		if !known[name] {
			return nil, fmt.Errorf("configuration file %s: there is no setting %q; `parley config` prints all of them", path, name)
		}
		switch v := v.(type) {
		case []any:
			var items []string
			for _, item := range v {
				items = append(items, fmt.Sprint(item))
			}
			values[name] = strings.Join(items, ",")
		case string, int64, float64, bool:
			values[name] = fmt.Sprint(v)
		default:
			return nil, fmt.Errorf("configuration file %s: %s must be a text, a number or a list", path, name)
		}
	}
	return values, nil
}

// source gives a setting its value from the file; the command line library asks it after the flag and the variable.
type source struct {
	file *configFile
	name string
}

func (s source) Lookup() (string, bool) { v, ok := s.file.values[s.name]; return v, ok }
func (s source) String() string         { return "configuration file" }
func (s source) GoString() string       { return "configuration file" }

// flags makes a flag of every setting.
func flags(file *configFile) []cli.Flag {
	all := []cli.Flag{&cli.StringFlag{Name: "config", Usage: "configuration file (TOML), as 'parley config' prints it", Sources: cli.EnvVars("PARLEY_CONFIG")}}
	for _, s := range allSettings() {
		chain := cli.EnvVars(s.env())
		chain.Chain = append(chain.Chain, source{file, s.name})
		all = append(all, &cli.StringFlag{Name: s.name, Category: s.group, Usage: s.usage, Value: s.value, Sources: chain})
	}
	return all
}

// load turns the flags, variables and file of a command into settings, or says which setting is wrong.
func load(cmd *cli.Command, file *configFile) (*settings, error) {
	if file.err != nil {
		return nil, file.err
	}
	var s settings
	for _, one := range allSettings() {
		if err := one.set(&s, cmd.String(one.name)); err != nil {
			return nil, fmt.Errorf("setting %s: %w (flag --%s, variable %s)", one.name, err, one.name, one.env())
		}
	}
	if (s.cert == "") != (s.key == "") {
		return nil, fmt.Errorf("--tls-cert and --tls-key belong together: one is missing")
	}
	return &s, nil
}

// configCommand prints the settings in force as a configuration file with comments.
func configCommand(file *configFile) *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "print all settings, as they are in force, as a configuration file",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if _, err := load(cmd, file); err != nil {
				return err
			}
			return printConfig(cmd.Root().Writer, cmd.String)
		},
	}
}

func printConfig(w io.Writer, value func(string) string) error {
	var b strings.Builder
	b.WriteString("# Parley's settings. A flag counts before its variable, that before this file, that before the default.\n")
	group := ""
	for _, s := range allSettings() {
		if s.group != group {
			group = s.group
			fmt.Fprintf(&b, "\n# --- %s ---\n", group)
		}
		fmt.Fprintf(&b, "\n# %s\n# flag --%s, variable %s, default %q\n", s.usage, s.name, s.env(), s.value)
		if v := value(s.name); v == s.value {
			fmt.Fprintf(&b, "#%s = %q\n", s.name, v)
		} else {
			fmt.Fprintf(&b, "%s = %q\n", s.name, v)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
