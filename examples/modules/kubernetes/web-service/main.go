// A Deployment of an unprivileged web server with a readiness probe, behind a Service inside the cluster.
package main

import (
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const (
	replicas      = 2
	containerPort = 8080
	servicePort   = 80
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")
		namespace := pulumi.String(settings.Require("namespace"))
		labels := pulumi.StringMap{"app.kubernetes.io/name": pulumi.String(name)}

		deployment, err := appsv1.NewDeployment(ctx, name, &appsv1.DeploymentArgs{
			Metadata: &metav1.ObjectMetaArgs{Namespace: namespace, Labels: labels},
			Spec: &appsv1.DeploymentSpecArgs{
				Replicas: pulumi.Int(replicas),
				Selector: &metav1.LabelSelectorArgs{MatchLabels: labels},
				Template: &corev1.PodTemplateSpecArgs{
					Metadata: &metav1.ObjectMetaArgs{Labels: labels},
					Spec: &corev1.PodSpecArgs{
						AutomountServiceAccountToken: pulumi.Bool(false),
						Containers: corev1.ContainerArray{
							&corev1.ContainerArgs{
								Name:  pulumi.String("web"),
								Image: pulumi.String(settings.Require("image")),
								Ports: corev1.ContainerPortArray{
									&corev1.ContainerPortArgs{ContainerPort: pulumi.Int(containerPort)},
								},
								ReadinessProbe: &corev1.ProbeArgs{
									HttpGet: &corev1.HTTPGetActionArgs{
										Path: pulumi.String("/"),
										Port: pulumi.Int(containerPort),
									},
								},
								Resources: &corev1.ResourceRequirementsArgs{
									Requests: pulumi.ToStringMap(map[string]string{"cpu": "50m", "memory": "64Mi"}),
									Limits:   pulumi.ToStringMap(map[string]string{"memory": "128Mi"}),
								},
								SecurityContext: &corev1.SecurityContextArgs{
									RunAsNonRoot:             pulumi.Bool(true),
									ReadOnlyRootFilesystem:   pulumi.Bool(true),
									AllowPrivilegeEscalation: pulumi.Bool(false),
									Capabilities:             &corev1.CapabilitiesArgs{Drop: pulumi.ToStringArray([]string{"ALL"})},
									SeccompProfile:           &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
								},
							},
						},
					},
				},
			},
		})
		if err != nil {
			return err
		}

		service, err := corev1.NewService(ctx, name, &corev1.ServiceArgs{
			Metadata: &metav1.ObjectMetaArgs{Namespace: namespace, Labels: labels},
			Spec: &corev1.ServiceSpecArgs{
				Selector: labels,
				Ports: corev1.ServicePortArray{
					&corev1.ServicePortArgs{Port: pulumi.Int(servicePort), TargetPort: pulumi.Int(containerPort)},
				},
			},
		}, pulumi.Parent(deployment))
		if err != nil {
			return err
		}

		ctx.Export("deployment", deployment.Metadata.Name())
		ctx.Export("service", service.Metadata.Name())
		return nil
	})
}
