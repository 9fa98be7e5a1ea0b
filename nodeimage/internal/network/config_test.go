package network

import (
	"encoding/json"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWriteConfigLeavesARightFileAlone(t *testing.T) {
	dir := t.TempDir()
	agent := Agent{ConfigDir: dir, Log: slog.New(slog.DiscardHandler)}
	path, long := filepath.Join(dir, configName), time.Unix(1000, 0)
	write := func(subnet string) {
		t.Helper()
		check(t, agent.writeConfig([]netip.Prefix{netip.MustParsePrefix(subnet)}, 1500))
	}
	write("10.244.1.0/24")
	check(t, os.Chtimes(path, long, long))
	write("10.244.1.0/24")
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(long) {
		t.Errorf("the file was written again with the same content (%v)", err)
	}
	write("10.244.2.0/24")
	content, err := os.ReadFile(path)
	check(t, err)
	var list struct {
		Plugins []struct {
			Type string
			MTU  int
			IPAM struct{ Ranges [][]struct{ Subnet string } }
		}
	}
	check(t, json.Unmarshal(content, &list))
	ptp := list.Plugins[0]
	if ptp.Type != "ptp" || ptp.MTU != 1500 || ptp.IPAM.Ranges[0][0].Subnet != "10.244.2.0/24" {
		t.Errorf("wrong configuration:\n%s", content)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("want one file in the directory, got %v (%v)", entries, err)
	}
}
