package main

import (
	"context"
	"fmt"
	"os"
	_ "time/tzdata" // CronJobs name time zones, and the images have no zone files

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // what kubectl accepts in a kubeconfig
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of API calls
	_ "k8s.io/component-base/metrics/prometheus/version"  // the build_info metric
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserverapp "k8s.io/kubernetes/cmd/kube-apiserver/app"
	managerapp "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxyapp "k8s.io/kubernetes/cmd/kube-proxy/app"
	schedulerapp "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadmapp "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmutil "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"

	"github.com/labctl/labctl/nodeimage/internal/xtables"
)

func serve(command *cobra.Command) { os.Exit(cli.Run(command)) }

func apiserver()         { serve(apiserverapp.NewAPIServerCommand()) }
func controllerManager() { serve(managerapp.NewControllerManagerCommand()) }
func scheduler()         { serve(schedulerapp.NewSchedulerCommand()) }
func kubelet()           { serve(kubeletapp.NewKubeletCommand(context.Background())) }
func kubeadm()           { kubeadmutil.HandleError(kubeadmapp.Run()) }
func etcd()              { etcdmain.Main(os.Args) }

// proxy selects iptables' back end first: its image holds both, and only at run time is it known which of them the
// node, whose rules it shares, has chosen.
func proxy() {
	if err := xtables.Link(); err != nil {
		fmt.Fprintln(os.Stderr, "kube-proxy:", err)
		os.Exit(1)
	}
	serve(proxyapp.NewProxyCommand())
}

func kubectl() {
	// As in kubectl's own main: verbosity has to be known before the command is built, which may already log.
	_, _ = logs.GlogSetter(kubectlcmd.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}
