// An unprivileged CronJob that never overlaps itself, with a token taken from a secret config value.
package main

import (
	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

const (
	retries         = 2
	deadlineSeconds = 30 * 60
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		name := settings.Require("name")
		namespace := pulumi.String(settings.Require("namespace"))

		secret, err := corev1.NewSecret(ctx, name, &corev1.SecretArgs{
			Metadata:   &metav1.ObjectMetaArgs{Namespace: namespace},
			StringData: pulumi.StringMap{"TOKEN": settings.RequireSecret("token")},
		})
		if err != nil {
			return err
		}

		job, err := batchv1.NewCronJob(ctx, name, &batchv1.CronJobArgs{
			Metadata: &metav1.ObjectMetaArgs{Namespace: namespace},
			Spec: &batchv1.CronJobSpecArgs{
				Schedule:          pulumi.String(settings.Require("schedule")),
				TimeZone:          pulumi.String("Etc/UTC"),
				ConcurrencyPolicy: pulumi.String("Forbid"),
				JobTemplate: &batchv1.JobTemplateSpecArgs{
					Spec: &batchv1.JobSpecArgs{
						BackoffLimit:          pulumi.Int(retries),
						ActiveDeadlineSeconds: pulumi.Int(deadlineSeconds),
						Template: &corev1.PodTemplateSpecArgs{
							Spec: &corev1.PodSpecArgs{
								RestartPolicy:                pulumi.String("Never"),
								AutomountServiceAccountToken: pulumi.Bool(false),
								Containers: corev1.ContainerArray{
									&corev1.ContainerArgs{
										Name:  pulumi.String("job"),
										Image: pulumi.String(settings.Require("image")),
										EnvFrom: corev1.EnvFromSourceArray{
											&corev1.EnvFromSourceArgs{
												SecretRef: &corev1.SecretEnvSourceArgs{Name: secret.Metadata.Name()},
											},
										},
										SecurityContext: &corev1.SecurityContextArgs{
											RunAsNonRoot:             pulumi.Bool(true),
											AllowPrivilegeEscalation: pulumi.Bool(false),
											Capabilities:             &corev1.CapabilitiesArgs{Drop: pulumi.ToStringArray([]string{"ALL"})},
											SeccompProfile:           &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
										},
									},
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

		ctx.Export("cronJob", job.Metadata.Name())
		return nil
	})
}
