// A namespace with a quota and default limits, whose pods accept no traffic until a policy allows it.
package main

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")

		namespace, err := corev1.NewNamespace(ctx, name, &corev1.NamespaceArgs{
			Metadata: &metav1.ObjectMetaArgs{
				Name:   pulumi.String(name),
				Labels: pulumi.StringMap{"pod-security.kubernetes.io/enforce": pulumi.String("restricted")},
			},
		})
		if err != nil {
			return err
		}
		inside := &metav1.ObjectMetaArgs{Namespace: namespace.Metadata.Name()}

		if _, err := corev1.NewResourceQuota(ctx, name, &corev1.ResourceQuotaArgs{
			Metadata: inside,
			Spec: &corev1.ResourceQuotaSpecArgs{
				Hard: pulumi.StringMap{
					"limits.cpu":    pulumi.String(settings.Require("cpu")),
					"limits.memory": pulumi.String(settings.Require("memory")),
				},
			},
		}, pulumi.Parent(namespace)); err != nil {
			return err
		}

		if _, err := corev1.NewLimitRange(ctx, name, &corev1.LimitRangeArgs{
			Metadata: inside,
			Spec: &corev1.LimitRangeSpecArgs{
				Limits: corev1.LimitRangeItemArray{
					&corev1.LimitRangeItemArgs{
						Type:           pulumi.String("Container"),
						Default:        pulumi.ToStringMap(map[string]string{"cpu": "500m", "memory": "256Mi"}),
						DefaultRequest: pulumi.ToStringMap(map[string]string{"cpu": "50m", "memory": "64Mi"}),
					},
				},
			},
		}, pulumi.Parent(namespace)); err != nil {
			return err
		}

		if _, err := networkingv1.NewNetworkPolicy(ctx, name, &networkingv1.NetworkPolicyArgs{
			Metadata: inside,
			Spec: &networkingv1.NetworkPolicySpecArgs{
				PodSelector: &metav1.LabelSelectorArgs{},
				PolicyTypes: pulumi.ToStringArray([]string{"Ingress"}),
			},
		}, pulumi.Parent(namespace)); err != nil {
			return err
		}

		ctx.Export("namespace", namespace.Metadata.Name())
		return nil
	})
}
