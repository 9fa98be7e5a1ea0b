package ec2

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/smithy-go"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
)

// errorCode returns AWS's code of an error, "" when it is none of AWS's.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func notFound(err error) bool { return strings.HasSuffix(errorCode(err), ".NotFound") }

// lacksCapacity tells whether another instance type or subnet may succeed where this one failed.
// The codes are those of the EC2 API reference, "Error codes"; instances that die while pending
// carry them as state reason with a prefix.
func lacksCapacity(code string) bool {
	return slices.Contains([]string{
		"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientReservedInstanceCapacity",
		"InsufficientCapacity", "InsufficientCapacityOnHost", "InsufficientFreeAddressesInSubnet",
		"Unsupported", // this type is not offered in this zone
	}, strings.TrimPrefix(strings.TrimPrefix(code, "Server."), "Client."))
}

// explain says in labctl's words what an AWS error means. The action is "ec2:RunInstances" or just
// "RunInstances". What AWS adds for its own decoding is left out.
func (c *Client) explain(action string, err error) error {
	if err == nil {
		return nil
	}
	if !strings.Contains(action, ":") {
		action = "ec2:" + action
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("calling %s: %w", action, context.Canceled)
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return clierr.New(clierr.Inconclusive, "calling %s in %s: %w", action, c.Region, &awsError{text: redact(flatten(err)), cause: err}).
			WithNext("Check the network and the region's name, then run the same command again.")
	}
	said := &awsError{text: api.ErrorCode() + ": " + clean(api.ErrorMessage()), cause: err}
	switch api.ErrorCode() {
	case "UnauthorizedOperation", "AccessDenied", "AccessDeniedException":
		return denied(action, c.Region, api)
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
		return clierr.New(clierr.Refused, "the AWS credentials have expired (%s)", api.ErrorCode()).
			WithNext("Renew them (`aws sso login`, or a new session token), then run the same command again.")
	case "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "MissingAuthenticationToken", "IncompleteSignature":
		return clierr.New(clierr.Refused, "AWS does not accept the credentials (%s)", api.ErrorCode()).
			WithNext("Check AWS_PROFILE and the keys that it stands for; `aws sts get-caller-identity` shows whose they are.")
	case "AuthFailure", "OptInRequired":
		return clierr.New(clierr.Refused, "AWS does not accept the credentials in %s (%w)", c.Region, said).
			WithNext("Check the keys, and whether the account has the region %s enabled.", c.Region)
	case "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException", "Unavailable", "ServiceUnavailable", "InternalError", "InternalFailure":
		return clierr.New(clierr.Failed, "calling %s in %s, several times: %w", action, c.Region, said).
			WithNext("Wait a minute, then run the same command again; it goes on from where it was.")
	case "OperationNotPermitted":
		return clierr.New(clierr.Leftover, "calling %s: %w", action, said).
			WithNext("Termination or stop protection was switched on for the instance. Switch it off (`aws ec2 modify-instance-attribute --instance-id … --no-disable-api-termination`), then run the same command again.")
	case "VcpuLimitExceeded", "InstanceLimitExceeded", "SecurityGroupLimitExceeded", "VolumeLimitExceeded", "MaxIOPSLimitExceeded":
		return clierr.New(clierr.Failed, "the account's quota in %s is used up: %w", c.Region, said).
			WithNext("Remove what is not needed (`labctl gc --dry-run` lists what is labctl's), or have AWS raise the quota.")
	}
	return fmt.Errorf("calling %s in %s: %w", action, c.Region, said)
}

// awsError carries AWS's error for errors.As, and says only what people need of it.
type awsError struct {
	text  string
	cause error
}

func (e *awsError) Error() string { return e.text }
func (e *awsError) Unwrap() error { return e.cause }

// flatten takes the SDK's own wrapping off: "operation error EC2: X, exceeded maximum number of
// attempts, 6, https response error StatusCode: 0, RequestID: , request send failed, Post …".
func flatten(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// clean cuts what only AWS can read, and may hold more of the account than a log should.
func clean(message string) string {
	message, _, _ = strings.Cut(message, "Encoded authorization failure message")
	return strings.TrimSpace(message)
}

// denied names the action and prints the policy. A denial of a call that only reads comes before
// anything was made.
func denied(action, region string, api smithy.APIError) error {
	class := clierr.Failed
	if _, name, _ := strings.Cut(action, ":"); !mutating(name) {
		class = clierr.Refused
	}
	why := ""
	if _, because, ok := strings.Cut(clean(api.ErrorMessage()), " because "); ok {
		why = ": " + strings.TrimSuffix(because, ".")
	}
	return clierr.New(class, "AWS does not allow the caller to call %s in %s (%s)%s", action, region, api.ErrorCode(), why).
		WithNext("Have %s allowed. The smallest policy that labctl works with is:\n%s", action, Policy())
}

// mutating tells an action that changes something from one that reads.
func mutating(action string) bool {
	for _, prefix := range []string{"Describe", "Get", "List"} {
		if strings.HasPrefix(action, prefix) {
			return false
		}
	}
	return true
}

// badConfig says what is wrong with the SDK's files or variables.
func badConfig(err error) error {
	var mfa config.AssumeRoleTokenProviderNotSetError
	if errors.As(err, &mfa) {
		return clierr.New(clierr.Refused, "the AWS profile assumes its role with a code of a second factor (mfa_serial), which labctl cannot ask for").
			WithNext("Let the AWS CLI ask: `eval \"$(aws configure export-credentials --profile PROFILE --format env)\"`, unset AWS_PROFILE, then run the same command again.")
	}
	return clierr.New(clierr.Refused, "reading the AWS configuration: %w", err).
		WithNext("Mend the file or the variable that the message names.")
}

// ErrNoCredentials is wrapped by errors that say that nobody has configured any credentials.
var ErrNoCredentials = errors.New("no AWS credentials are found")

func noCredentials(err error) error {
	if code := errorCode(err); code == "ExpiredToken" || code == "ExpiredTokenException" || strings.Contains(err.Error(), "expired") {
		return clierr.New(clierr.Refused, "the AWS credentials have expired").
			WithNext("Renew them (`aws sso login`, or a new session token), then run the same command again.")
	}
	var process *processcreds.ProviderError
	if errors.As(err, &process) {
		return clierr.New(clierr.Refused, "the AWS profile's credential_process gives no credentials: %s", clean(redact(flatten(err)))).
			WithNext("Run that command by itself, and mend what it says. labctl waits for it for %s.", count.Duration(credentialsTimeout))
	}
	return clierr.New(clierr.Refused, "%w: %s", ErrNoCredentials, clean(redact(flatten(err)))).
		WithNext("Log in with `aws configure` or `aws sso login`, or set AWS_PROFILE. With --local no AWS account is needed.")
}
