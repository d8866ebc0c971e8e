"""The same comparison on AWS: functions under throwaway names, and the figures that Lambda reports."""
