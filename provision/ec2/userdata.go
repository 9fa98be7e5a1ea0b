package ec2

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// The two scripts of the host. They are sent as they are; what differs between hosts is passed to them.
var (
	//go:embed host.sh
	hostScript string
	//go:embed setup.sh
	setupScript string
)

// mostUserData is AWS's limit, before it is encoded.
const mostUserData = 16 << 10

var kubernetesVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+(\.[0-9]+)?$`)

// cloudConfig is what labctl uses of cloud-init's configuration.
type cloudConfig struct {
	Bootcmd        []string   `json:"bootcmd"`
	Users          []any      `json:"users"`
	DisableRoot    bool       `json:"disable_root"`
	SSHPwauth      bool       `json:"ssh_pwauth"`
	SSHDeletekeys  bool       `json:"ssh_deletekeys"`
	SSHGenkeytypes []string   `json:"ssh_genkeytypes"`
	PackageUpdate  bool       `json:"package_update"`
	WriteFiles     []file     `json:"write_files"`
	Runcmd         [][]string `json:"runcmd"`
}

type file struct {
	Path        string `json:"path"`
	Permissions string `json:"permissions"`
	Content     string `json:"content"`
}

type user struct {
	Name              string   `json:"name"`
	Gecos             string   `json:"gecos"`
	Shell             string   `json:"shell"`
	Groups            []string `json:"groups"`
	Sudo              string   `json:"sudo"`
	LockPasswd        bool     `json:"lock_passwd"`
	SSHAuthorizedKeys []string `json:"ssh_authorized_keys"`
}

// userData is the cloud-init configuration of a host that ends at a time. It holds no secret: everything
// on the instance can read it, and so can whoever may describe the instance.
func (h *Host) userData(expires time.Time) (string, error) {
	if h.Kubernetes != "" && !kubernetesVersion.MatchString(h.Kubernetes) {
		return "", fmt.Errorf("user data: %q is not a version of Kubernetes", h.Kubernetes)
	}
	if fingerprint(h.PublicKey) == "" || strings.Contains(h.PublicKey, "PRIVATE KEY") {
		return "", fmt.Errorf("user data: the SSH key is not a public one")
	}
	// Without the comment: it often is somebody's name, and so a reason for a second instance.
	key := strings.Join(strings.Fields(h.PublicKey)[:2], " ")
	body, err := yaml.Marshal(cloudConfig{
		Bootcmd: []string{arming(expires)},
		Users: []any{user{
			Name: User, Gecos: "labctl", Shell: "/bin/bash", Groups: []string{"docker"}, Sudo: "ALL=(ALL) NOPASSWD:ALL",
			LockPasswd: true, SSHAuthorizedKeys: []string{key},
		}},
		DisableRoot: true, SSHPwauth: false, SSHDeletekeys: true, SSHGenkeytypes: []string{"ed25519"}, PackageUpdate: false,
		WriteFiles: []file{
			{"/etc/sysctl.d/90-labctl.conf", "0644", "fs.inotify.max_user_instances = 1024\nfs.inotify.max_user_watches = 1048576\n"},
			// kind runs more commands side by side than the ten sessions that sshd allows by itself.
			{"/etc/ssh/sshd_config.d/10-labctl.conf", "0644", "MaxSessions 64\nPasswordAuthentication no\nPermitRootLogin no\nClientAliveInterval 30\n"},
			{"/usr/local/sbin/labctl-setup", "0755", setupScript},
			{"/etc/systemd/system/labctl-announce.service", "0644", announceUnit},
			{"/etc/systemd/system/labctl-setup.service", "0644", fmt.Sprintf(setupUnit, h.Kubernetes)},
		},
		Runcmd: [][]string{
			{"systemctl", "daemon-reload"},
			{"systemctl", "enable", "labctl-announce.service", "labctl-setup.service"},
			{"systemctl", "start", "--no-block", "labctl-announce.service", "labctl-setup.service"},
		},
	})
	if err != nil {
		return "", fmt.Errorf("user data: %w", err)
	}
	text := "#cloud-config\n" + string(body)
	if len(text) > mostUserData {
		return "", fmt.Errorf("user data: %d bytes, and AWS takes %d", len(text), mostUserData)
	}
	return text, nil
}

// arming is the first thing that the host does, at each boot: everything after it may hang or fail, and
// the host still ends. An expiry that was extended on the host stays. The group exists before the
// packages that would make it, so that the first login is in it.
func arming(expires time.Time) string {
	return fmt.Sprintf(`umask 022
mkdir -p /etc/labctl /var/lib/labctl
[ -s /etc/labctl/expires ] || echo %d >/etc/labctl/expires
cat >/usr/local/sbin/labctl-host <<'LABCTL-END'
%sLABCTL-END
chmod 755 /usr/local/sbin/labctl-host
/usr/local/sbin/labctl-host arm
groupadd --system --force docker
`, expires.Unix(), hostScript)
}

const announceUnit = `[Unit]
Description=Write the SSH host key to the console, where labctl pins it
After=ssh.service sshd.service cloud-init.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/labctl-host announce
[Install]
WantedBy=multi-user.target
`

const setupUnit = `[Unit]
Description=Equip this host for the lab
After=network-online.target cloud-init.service
Wants=network-online.target
ConditionPathExists=!/var/lib/labctl/ready
[Service]
Type=exec
RuntimeMaxSec=1800
ExecStart=/usr/local/sbin/labctl-setup %s
[Install]
WantedBy=multi-user.target
`
